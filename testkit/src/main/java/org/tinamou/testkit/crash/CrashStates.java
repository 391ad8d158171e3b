package org.tinamou.testkit.crash;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.SeededRandom;
import org.tinamou.testkit.crash.RecordedFile.Event;

/**
 * The files that a power cut can leave: after each write; after any of the writes since the last
 * flush, in samples; and with writes that reached the disk in part.
 */
final class CrashStates {
  private static final int SUBSETS = 20;
  private static final int SECTOR_BYTES = 512;
  private static final int PAGE_BYTES = 4096;
  private static final int TORN_VARIANTS = 2;

  /** Told each state, and what the file below has then if that has changed. */
  @FunctionalInterface
  interface Visitor {
    void visit(String name, byte[] content, GuestModel.Promise promise, byte @Nullable [] below)
        throws Exception;
  }

  private final byte[] base;
  private final List<Event> events;
  private final SeededRandom random;
  private final Visitor visitor;
  private GuestModel.@Nullable Promise promise;
  private List<byte[]> below = List.of();

  /**
   * The states of a record.
   *
   * @param base what was on the disk before
   * @param events begin with a mark
   */
  CrashStates(byte[] base, List<Event> events, SeededRandom random, Visitor visitor) {
    this.base = base;
    this.events = events;
    this.random = random;
    this.visitor = visitor;
  }

  void visitAll() throws Exception {
    RecordedFile durable = new RecordedFile(base);
    List<Event> epoch = new ArrayList<>();
    for (int i = 0; i < events.size(); i++) {
      Event event = events.get(i);
      if (event instanceof RecordedFile.Flush) {
        visitEpoch(durable, epoch, i);
        epoch.forEach(durable::repeat);
        epoch.clear();
      } else {
        epoch.add(event);
      }
    }
    visitEpoch(durable, epoch, events.size());
  }

  private void visit(String name, RecordedFile file) throws Exception {
    byte[] content = file.content();
    GuestModel.Promise now = Objects.requireNonNull(promise, "no mark");
    if (below.isEmpty()) {
      visitor.visit(name, content, now, null);
    }
    for (byte[] each : below) {
      visitor.visit(name, content, now, each);
    }
  }

  private void visitEpoch(RecordedFile durable, List<Event> epoch, int end) throws Exception {
    RecordedFile state = new RecordedFile(durable.content());
    int start = end - epoch.size();
    List<Event> changes = new ArrayList<>();
    for (int i = 0; i < epoch.size(); i++) {
      Event event = epoch.get(i);
      if (event instanceof RecordedFile.Mark(GuestModel.Promise next)) {
        promise = next;
        continue;
      }
      if (event instanceof RecordedFile.Below(List<byte[]> contents)) {
        below = contents;
        visit("with what is below before event " + (start + i), state);
        continue;
      }
      if (event instanceof RecordedFile.Write write) {
        visitTorn(state, write, start + i);
      }
      state.repeat(event);
      changes.add(event);
      visit("after event " + (start + i), state);
    }
    if (changes.size() > 1) {
      visitSubsets(durable, changes, end);
    }
  }

  private void visitTorn(RecordedFile before, RecordedFile.Write write, int index)
      throws Exception {
    for (int unit : new int[] {SECTOR_BYTES, PAGE_BYTES}) {
      for (int variant = 0; variant < TORN_VARIANTS; variant++) {
        RecordedFile state = new RecordedFile(before.content());
        if (tear(state, write, unit)) {
          visit("event %d torn at %d bytes, variant %d".formatted(index, unit, variant), state);
        }
      }
    }
  }

  /** Some of a write's units arrive. False if it has only one. */
  private boolean tear(RecordedFile state, RecordedFile.Write write, int unit) {
    long first = write.offset() / unit;
    long last = (write.offset() + write.bytes().length - 1) / unit;
    if (first == last) {
      return false;
    }
    for (long each = first; each <= last; each++) {
      if (random.nextBoolean()) {
        int from = (int) Math.max(0, each * unit - write.offset());
        int to = (int) Math.min(write.bytes().length, (each + 1) * unit - write.offset());
        state.apply(write.offset(), write.bytes(), from, to);
      }
    }
    return true;
  }

  private void visitSubsets(RecordedFile durable, List<Event> changes, int end) throws Exception {
    Set<Long> seen = new HashSet<>();
    for (int i = 0; i < SUBSETS; i++) {
      long chosen = random.nextLong();
      long torn = random.nextBoolean() ? random.nextLong() & chosen : 0;
      long mask = changes.size() >= Long.SIZE ? -1 : (1L << changes.size()) - 1;
      if (torn == 0 && !seen.add(chosen & mask)) {
        continue;
      }
      RecordedFile state = new RecordedFile(durable.content());
      for (int each = 0; each < changes.size(); each++) {
        if ((chosen >>> each & 1) == 0) {
          continue;
        }
        Event change = changes.get(each);
        boolean tornHere =
            (torn >>> each & 1) != 0
                && change instanceof RecordedFile.Write write
                && tear(state, write, random.nextBoolean() ? SECTOR_BYTES : PAGE_BYTES);
        if (!tornHere) {
          state.repeat(change);
        }
      }
      visit(
          "subset %x (torn %x) before event %d".formatted(chosen & mask, torn & mask, end), state);
    }
  }
}

package org.tinamou.testkit.crash;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.SeededRandom;
import org.tinamou.testkit.crash.Journal.Step;

/**
 * What a power cut can leave of files: after each write; after any of the writes that no flush of
 * their file has followed, in samples; and with writes that reached the disk in part.
 */
final class CrashStates {
  private static final int SUBSETS = 20;
  private static final int SECTOR_BYTES = 512;
  private static final int PAGE_BYTES = 4096;
  private static final int TORN_VARIANTS = 2;

  /** Told each state of all files. */
  @FunctionalInterface
  interface Visitor {
    void visit(String name, Map<String, byte[]> contents, DiskPromise promise) throws Exception;
  }

  private final List<Journal.Entry> entries;
  private final SeededRandom random;
  private final Visitor visitor;

  /** What is on the disk whatever happens. */
  private final Map<String, RecordedFile> durable = new LinkedHashMap<>();

  /** What is there if everything has reached the disk. */
  private final Map<String, RecordedFile> now = new LinkedHashMap<>();

  /** What need not have reached the disk. */
  private final List<Step> pending = new ArrayList<>();

  private @Nullable DiskPromise promise;

  /**
   * The states of a record.
   *
   * @param journal begins with a mark
   */
  CrashStates(Journal journal, SeededRandom random, Visitor visitor) {
    this.entries = journal.entries();
    this.random = random;
    this.visitor = visitor;
    journal
        .bases()
        .forEach(
            (name, content) -> {
              durable.put(name, new RecordedFile(content));
              now.put(name, new RecordedFile(content));
            });
  }

  void visitAll() throws Exception {
    for (int i = 0; i < entries.size(); i++) {
      switch (entries.get(i)) {
        case Journal.Mark(DiskPromise next) -> promise = next;
        case Step(String file, RecordedFile.Flush _) -> {
          visitSubsets(i);
          settle(file);
        }
        case Step step -> {
          if (step.event() instanceof RecordedFile.Write write) {
            visitTorn(step.file(), write, i);
          }
          of(now, step.file()).repeat(step.event());
          pending.add(step);
          visit("after event " + i, now);
        }
      }
    }
    visit("at the end", now);
    visitSubsets(entries.size());
  }

  private static RecordedFile of(Map<String, RecordedFile> files, String name) {
    return Objects.requireNonNull(files.get(name));
  }

  private void settle(String file) {
    pending.removeIf(
        step -> {
          boolean settled = step.file().equals(file);
          if (settled) {
            of(durable, file).repeat(step.event());
          }
          return settled;
        });
  }

  private void visit(String name, Map<String, RecordedFile> files) throws Exception {
    Map<String, byte[]> contents = new LinkedHashMap<>();
    files.forEach((file, content) -> contents.put(file, content.content()));
    visitor.visit(name, contents, Objects.requireNonNull(promise, "no mark"));
  }

  private void visitTorn(String file, RecordedFile.Write write, int index) throws Exception {
    for (int unit : new int[] {SECTOR_BYTES, PAGE_BYTES}) {
      for (int variant = 0; variant < TORN_VARIANTS; variant++) {
        RecordedFile state = new RecordedFile(of(now, file).content());
        if (tear(state, write, unit)) {
          Map<String, RecordedFile> files = new LinkedHashMap<>(now);
          files.put(file, state);
          visit("event %d torn at %d bytes, variant %d".formatted(index, unit, variant), files);
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

  private void visitSubsets(int end) throws Exception {
    if (pending.size() < 2) {
      return;
    }
    Set<Long> seen = new HashSet<>();
    for (int i = 0; i < SUBSETS; i++) {
      long chosen = random.nextLong();
      long torn = random.nextBoolean() ? random.nextLong() & chosen : 0;
      long mask = pending.size() >= Long.SIZE ? -1 : (1L << pending.size()) - 1;
      if (torn == 0 && !seen.add(chosen & mask)) {
        continue;
      }
      Map<String, RecordedFile> files = copies();
      for (int each = 0; each < pending.size(); each++) {
        if ((chosen >>> each & 1) != 0) {
          arrive(files, pending.get(each), (torn >>> each & 1) != 0);
        }
      }
      visit(
          "subset %x (torn %x) before event %d".formatted(chosen & mask, torn & mask, end), files);
    }
    visitEachFileAlone(end);
  }

  private Map<String, RecordedFile> copies() {
    Map<String, RecordedFile> files = new LinkedHashMap<>();
    durable.forEach((name, file) -> files.put(name, new RecordedFile(file.content())));
    return files;
  }

  private void arrive(Map<String, RecordedFile> files, Step step, boolean inPart) {
    RecordedFile file = of(files, step.file());
    boolean torn =
        inPart
            && step.event() instanceof RecordedFile.Write write
            && tear(file, write, random.nextBoolean() ? SECTOR_BYTES : PAGE_BYTES);
    if (!torn) {
      file.repeat(step.event());
    }
  }

  /** One file's disk was quick and the others' were slow. */
  private void visitEachFileAlone(int end) throws Exception {
    Set<String> changed = new HashSet<>();
    pending.forEach(step -> changed.add(step.file()));
    if (changed.size() < 2) {
      return;
    }
    for (String name : durable.keySet()) {
      if (changed.contains(name)) {
        Map<String, RecordedFile> files = copies();
        files.put(name, of(now, name));
        visit("%s alone before event %d".formatted(name, end), files);
      }
    }
  }
}

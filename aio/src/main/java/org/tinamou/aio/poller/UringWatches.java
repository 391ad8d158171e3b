package org.tinamou.aio.poller;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.FdWatch;

/**
 * Watches of a ring. The kernel's polls report once; each is armed again by the poll after the one
 * that reported it, and since arming looks at the descriptor, the whole is level-triggered.
 * Completions of polls that were given up carry an old generation and are ignored. Home thread.
 */
final class UringWatches {
  /** One armed or idle watch; kept and used anew after its watch is gone. */
  private static final class Entry {
    final int slot;
    @Nullable FdWatch watch;
    int generation;
    int armedEvents;
    boolean waitsToBeArmed;

    Entry(int slot) {
      this.slot = slot;
    }
  }

  /** Where polls are put; the answers say whether there was room. */
  interface Ring {
    boolean arm(int fd, int kernelEvents, int slot, int generation);

    boolean disarm(int slot, int generation);
  }

  private record Disarming(int slot, int generation) {}

  private final Ring ring;
  private final List<Entry> entries = new ArrayList<>();
  private final ArrayDeque<Entry> free = new ArrayDeque<>();
  private final ArrayDeque<Entry> toArm = new ArrayDeque<>();
  private final ArrayDeque<Disarming> toDisarm = new ArrayDeque<>();

  UringWatches(Ring ring) {
    this.ring = ring;
  }

  void update(FdWatch watch) {
    if (watch.pollerSlot < 0) {
      if (watch.interest() != 0) {
        Entry entry = take();
        entry.watch = watch;
        watch.pollerSlot = entry.slot;
        queueArming(entry);
      }
      return;
    }
    Entry entry = entries.get(watch.pollerSlot);
    if (entry.armedEvents != 0 && entry.armedEvents != watch.interest()) {
      disarm(entry);
    }
    if (watch.interest() == 0) {
      watch.pollerSlot = -1;
      entry.watch = null;
      free.add(entry);
    } else if (entry.armedEvents == 0) {
      queueArming(entry);
    }
  }

  private Entry take() {
    Entry entry = free.poll();
    if (entry == null) {
      entry = new Entry(entries.size());
      entries.add(entry);
    }
    return entry;
  }

  private void queueArming(Entry entry) {
    if (!entry.waitsToBeArmed) {
      entry.waitsToBeArmed = true;
      toArm.add(entry);
    }
  }

  private void disarm(Entry entry) {
    if (!ring.disarm(entry.slot, entry.generation)) {
      toDisarm.add(new Disarming(entry.slot, entry.generation));
    }
    entry.generation++;
    entry.armedEvents = 0;
  }

  /** Puts what has changed into the ring; false if the ring has no room for all of it. */
  boolean flush() {
    for (Disarming each; (each = toDisarm.peek()) != null; toDisarm.remove()) {
      if (!ring.disarm(each.slot, each.generation)) {
        return false;
      }
    }
    for (Entry entry; (entry = toArm.peek()) != null; toArm.remove()) {
      FdWatch watch = entry.watch;
      if (watch != null) {
        int events = PollEvents.toKernel(watch.interest());
        if (!ring.arm(watch.fd(), events, entry.slot, entry.generation)) {
          return false;
        }
        entry.armedEvents = watch.interest();
      }
      entry.waitsToBeArmed = false;
    }
    return true;
  }

  /**
   * A poll has reported.
   *
   * @param result the kernel's events or a negative errno, which makes everything ready so that the
   *     handler meets the error itself
   */
  void completed(int slot, int generation, int result) {
    Entry entry = entries.get(slot);
    FdWatch watch = entry.watch;
    if (watch == null || UringTag.generation(entry.generation) != generation) {
      return;
    }
    entry.armedEvents = 0;
    entry.generation++;
    queueArming(entry);
    watch.markReady(result < 0 ? watch.interest() : PollEvents.fromKernel(result));
  }
}

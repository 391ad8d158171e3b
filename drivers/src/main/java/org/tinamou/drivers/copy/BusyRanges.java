package org.tinamou.drivers.copy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;

/**
 * Ranges that somebody is at work on, for others to wait for. Adding and finding belong under the
 * {@link #lock}, together with whatever the owner decides by them.
 */
public final class BusyRanges {
  /** One range, from {@link #add} to {@link #remove}. */
  public static final class Range {
    private final long startBytes;
    private final long endBytes;
    private final List<Coroutine> waiters = new ArrayList<>(1);
    private volatile boolean ended;

    private Range(long startBytes, long endBytes) {
      this.startBytes = startBytes;
      this.endBytes = endBytes;
    }

    public long startBytes() {
      return startBytes;
    }

    public long endBytes() {
      return endBytes;
    }

    public long lengthBytes() {
      return endBytes - startBytes;
    }
  }

  /** Guards the table and what its owner decides by it; short sections, never across a park. */
  public final ReentrantLock lock = new ReentrantLock();

  private final List<Range> ranges = new ArrayList<>();

  /** A new range. The lock is held. */
  @AnyThread
  public Range add(long startBytes, long endBytes) {
    Range range = new Range(startBytes, endBytes);
    ranges.add(range);
    return range;
  }

  /** Some range that overlaps, or null. The lock is held. */
  @AnyThread
  public @Nullable Range find(long startBytes, long endBytes) {
    for (Range each : ranges) {
      if (each.startBytes < endBytes && startBytes < each.endBytes) {
        return each;
      }
    }
    return null;
  }

  /** The work is done: lets those go on that wait for it. The lock is not needed. */
  @AnyThread
  public void remove(Range range) {
    List<Coroutine> woken;
    lock.lock();
    try {
      ranges.remove(range);
      range.ended = true;
      woken = List.copyOf(range.waiters);
    } finally {
      lock.unlock();
    }
    woken.forEach(Coroutine::wake);
  }

  /** Waits until a range has been removed. The lock is not held. */
  @InCoroutine
  public void await(Range range) {
    lock.lock();
    try {
      if (range.ended) {
        return;
      }
      range.waiters.add(Coroutine.current());
    } finally {
      lock.unlock();
    }
    while (!range.ended) {
      Coroutine.suspend("copy of an overlapping range");
    }
  }

  /** Waits until nothing overlaps a range. */
  @InCoroutine
  public void awaitNone(long startBytes, long endBytes) {
    while (true) {
      Range busy;
      lock.lock();
      try {
        busy = find(startBytes, endBytes);
      } finally {
        lock.unlock();
      }
      if (busy == null) {
        return;
      }
      await(busy);
    }
  }
}

package org.tinamou.jobs.mirror;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.InCoroutine;

/**
 * Keeps those apart who work on overlapping ranges, first come, first served: whoever comes waits
 * for all that overlap and came before, so nobody waits for himself or in a circle.
 */
final class RangeQueue {
  /** A place in the queue; its holder may work once nothing before it overlaps. */
  final class Place implements AutoCloseable {
    private final long start;
    private final long end;

    private Place(long start, long end) {
      this.start = start;
      this.end = end;
    }

    long startBytes() {
      return start;
    }

    long endBytes() {
      return end;
    }

    /** Lets those go on that wait. */
    @Override
    @AnyThread
    public void close() {
      lock.lock();
      try {
        places.remove(this);
      } finally {
        lock.unlock();
      }
      waiting.wakeAll();
    }
  }

  private final long unitBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Place> places = new ArrayList<>();
  private final CoQueue waiting = new CoQueue("overlapping copy");

  /**
   * For ranges that are widened to whole units.
   *
   * @param unitBytes a power of two
   */
  RangeQueue(long unitBytes) {
    this.unitBytes = unitBytes;
  }

  /** Waits until the range, widened to whole units, is the caller's own. */
  @InCoroutine
  Place enter(long offsetBytes, long lengthBytes) {
    long end = (offsetBytes + lengthBytes + unitBytes - 1) & -unitBytes;
    Place place = new Place(offsetBytes & -unitBytes, end);
    lock.lock();
    try {
      places.add(place);
    } finally {
      lock.unlock();
    }
    while (!isFirst(place)) {
      waiting.awaitUnless(() -> isFirst(place));
    }
    return place;
  }

  private boolean isFirst(Place place) {
    lock.lock();
    try {
      for (Place other : places) {
        if (other == place) {
          return true;
        }
        if (other.start < place.end && place.start < other.end) {
          return false;
        }
      }
      throw new IllegalStateException("a place that was left");
    } finally {
      lock.unlock();
    }
  }
}

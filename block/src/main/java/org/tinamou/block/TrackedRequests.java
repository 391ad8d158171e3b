package org.tinamou.block;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;

/**
 * The requests under way on one node. A serialising request has its range to itself: it waits for
 * those that overlap it, and those that come later wait for it.
 */
final class TrackedRequests {
  /** One request, from its first instruction to after its last. */
  static final class Tracked {
    final long offsetBytes;
    final long lengthBytes;
    final String kind;
    private final Coroutine coroutine = Coroutine.current();

    /** Those that wait for its end; null as long as nobody does. */
    private @Nullable List<Coroutine> waiters;

    /** Its place among the active ones. */
    private int index;

    private long rangeStart;
    private long rangeEnd;
    private boolean serialising;
    private boolean ended;
    private @Nullable Tracked waitingFor;

    Tracked(String kind, long offsetBytes, long lengthBytes) {
      this.kind = kind;
      this.offsetBytes = offsetBytes;
      this.lengthBytes = lengthBytes;
      this.rangeStart = offsetBytes;
      this.rangeEnd = offsetBytes + lengthBytes;
    }

    private void addWaiter(Coroutine waiter) {
      List<Coroutine> before = waiters;
      if (before == null) {
        before = new ArrayList<>();
        waiters = before;
      }
      before.add(waiter);
    }

    private boolean overlaps(Tracked other) {
      return rangeStart < other.rangeEnd && other.rangeStart < rangeEnd;
    }

    @Override
    public String toString() {
      Tracked blocker = waitingFor;
      return "%s [%d, +%d)%s of %s%s"
          .formatted(
              kind,
              offsetBytes,
              lengthBytes,
              serialising ? " serialising" : "",
              coroutine.name(),
              blocker == null ? "" : ", waits for " + blocker.kind + " of " + blocker.coroutine);
    }
  }

  private final BlockNode node;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Tracked> active = new ArrayList<>();
  private int serialisingCount;

  TrackedRequests(BlockNode node) {
    this.node = node;
  }

  /** Starts tracking; the caller has counted itself in flight. */
  @InCoroutine
  Tracked begin(String kind, long offsetBytes, long lengthBytes) {
    Tracked request = new Tracked(kind, offsetBytes, lengthBytes);
    lock.lock();
    try {
      request.index = active.size();
      active.add(request);
    } finally {
      lock.unlock();
    }
    return request;
  }

  /** Stops tracking and lets those go on that wait for the request. */
  @InCoroutine
  void end(Tracked request) {
    List<Coroutine> woken;
    lock.lock();
    try {
      Check.state(!request.ended, "request ended twice: %s", request);
      request.ended = true;
      remove(request);
      if (request.serialising) {
        serialisingCount--;
      }
      woken = request.waiters;
    } finally {
      lock.unlock();
    }
    if (woken != null) {
      woken.forEach(Coroutine::wake);
    }
  }

  /** Whoever is last takes its place: their order means nothing. */
  private void remove(Tracked request) {
    Tracked last = active.removeLast();
    if (last != request) {
      active.set(request.index, last);
      last.index = request.index;
    }
  }

  /**
   * Makes the request's range, widened to {@code alignmentBytes}, its own: waits until nothing else
   * touches it.
   */
  @InCoroutine
  void serialise(Tracked request, long alignmentBytes) {
    lock.lock();
    try {
      claim(request, alignmentBytes);
    } finally {
      lock.unlock();
    }
    awaitOverlapping(request);
  }

  private void claim(Tracked request, long alignmentBytes) {
    if (!request.serialising) {
      request.serialising = true;
      serialisingCount++;
    }
    request.rangeStart = Math.min(request.rangeStart, request.offsetBytes & -alignmentBytes);
    long end = request.offsetBytes + request.lengthBytes;
    request.rangeEnd = Math.max(request.rangeEnd, (end + alignmentBytes - 1) & -alignmentBytes);
  }

  /**
   * For a coroutine that has another request under way, for which others may wait: never waits.
   *
   * @return whether nothing is in the way of the request
   */
  boolean tryStart(Tracked request, boolean serialising, long alignmentBytes) {
    lock.lock();
    try {
      if (serialising) {
        claim(request, alignmentBytes);
      }
      return findBlocker(request) == null;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until no serialising request overlaps this one. */
  @InCoroutine
  void awaitSerialising(Tracked request) {
    if (serialisingCount > 0) { // racy, as a request that starts serialising now looks for us
      awaitOverlapping(request);
    }
  }

  private void awaitOverlapping(Tracked request) {
    while (true) {
      Tracked blocker;
      lock.lock();
      try {
        blocker = findBlocker(request);
        if (blocker == null) {
          request.waitingFor = null;
          return;
        }
        request.waitingFor = blocker;
        blocker.addWaiter(request.coroutine);
      } finally {
        lock.unlock();
      }
      while (!isEnded(blocker)) {
        Coroutine.suspend("overlapping request");
      }
    }
  }

  private boolean isEnded(Tracked request) {
    lock.lock();
    try {
      return request.ended;
    } finally {
      lock.unlock();
    }
  }

  /** Somebody overlapping who does not wait, directly or not, for this request. */
  private @Nullable Tracked findBlocker(Tracked request) {
    for (Tracked other : active) {
      if (other != request
          && (other.serialising || request.serialising)
          && request.overlaps(other)) {
        Check.state(
            other.coroutine != request.coroutine, "%s waits for itself on %s", request, node);
        if (!waitsFor(other, request)) {
          return other;
        }
      }
    }
    return null;
  }

  private static boolean waitsFor(Tracked waiter, Tracked request) {
    for (Tracked each = waiter.waitingFor; each != null; each = each.waitingFor) {
      if (each == request) {
        return true;
      }
    }
    return false;
  }

  /** What is under way, for dumps. */
  @AnyThread
  List<String> dump() {
    lock.lock();
    try {
      return active.stream().map(Tracked::toString).toList();
    } finally {
      lock.unlock();
    }
  }
}

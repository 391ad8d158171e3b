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
 *
 * <p>Serialising requests are rare, and others take no lock while there is none: a request shows
 * itself first and then looks whether anybody serialises; who begins to serialise says so first and
 * then looks at the requests, so one of the two sees the other. A request that ends is gone before
 * it looks whether somebody may wait for it.
 */
final class TrackedRequests {
  /**
   * One request, from its first instruction to after its last; then, if nobody can have looked at
   * it, the next of its coroutine.
   */
  static final class Tracked extends SlotTable.Item {
    private final Coroutine coroutine;
    private @Nullable Tracked nextSpare;
    private String kind = "";
    private long offsetBytes;
    private long lengthBytes;
    private volatile boolean ended;
    private volatile boolean serialising;

    // The rest is guarded by the lock once the request serialises or somebody does.
    private long rangeStart;
    private long rangeEnd;
    private @Nullable List<Coroutine> waiters;
    private @Nullable Tracked waitingFor;

    private Tracked(Coroutine coroutine) {
      this.coroutine = coroutine;
    }

    /** A new one, or one the coroutine has done with. */
    private static Tracked of(Coroutine coroutine) {
      if (!(coroutine.spare() instanceof Tracked spare)) {
        return new Tracked(coroutine);
      }
      coroutine.spare(spare.nextSpare);
      spare.nextSpare = null;
      return spare;
    }

    private void becomeSpare() {
      nextSpare = (Tracked) coroutine.spare();
      coroutine.spare(this);
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
  private final SlotTable<Tracked> active = new SlotTable<>();
  private final ReentrantLock lock = new ReentrantLock();
  private volatile int serialisingCount;

  TrackedRequests(BlockNode node) {
    this.node = node;
  }

  /** Starts tracking; the caller has counted itself in flight. */
  @InCoroutine
  Tracked begin(String kind, long offsetBytes, long lengthBytes) {
    Coroutine self = Coroutine.current(node.context());
    Tracked request = Tracked.of(self);
    request.kind = kind;
    request.offsetBytes = offsetBytes;
    request.lengthBytes = lengthBytes;
    request.rangeStart = offsetBytes;
    request.rangeEnd = offsetBytes + lengthBytes;
    active.add(request, offsetBytes);
    return request;
  }

  /** Stops tracking and lets those go on that wait for the request. */
  @InCoroutine
  void end(Tracked request) {
    active.remove(request);
    if (serialisingCount > 0) {
      request.ended = true;
      wakeWaiters(request);
    } else { // nobody has looked at it, and nobody will
      request.becomeSpare();
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // written under the lock only
  private void wakeWaiters(Tracked request) {
    List<Coroutine> woken;
    lock.lock();
    try {
      if (request.serialising) {
        request.serialising = false;
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

  @SuppressWarnings("NonAtomicVolatileUpdate") // written under the lock only
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

  /** Whether a request that is tracked may have to wait. */
  @AnyThread
  boolean isAnySerialising() {
    return serialisingCount > 0;
  }

  /** Waits until no serialising request overlaps this one. */
  @InCoroutine
  void awaitSerialising(Tracked request) {
    if (serialisingCount > 0) {
      awaitOverlapping(request);
    }
  }

  private void awaitOverlapping(Tracked request) {
    while (true) {
      Tracked blocker;
      lock.lock();
      try {
        blocker = findBlocker(request);
        request.waitingFor = blocker;
        if (blocker == null) {
          return;
        }
        blocker.addWaiter(request.coroutine);
      } finally {
        lock.unlock();
      }
      while (!blocker.ended) {
        Coroutine.suspend("overlapping request");
      }
    }
  }

  /** Somebody overlapping who does not wait, directly or not, for this request. */
  private @Nullable Tracked findBlocker(Tracked request) {
    return active.find(other -> isInTheWay(other, request));
  }

  private boolean isInTheWay(Tracked other, Tracked request) {
    if (other == request
        || !(other.serialising || request.serialising)
        || !request.overlaps(other)) {
      return false;
    }
    Check.state(other.coroutine != request.coroutine, "%s waits for itself on %s", request, node);
    return !waitsFor(other, request);
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
    List<String> told = new ArrayList<>();
    lock.lock();
    try {
      active.find(
          request -> {
            told.add(request.toString());
            return false;
          });
    } finally {
      lock.unlock();
    }
    return told;
  }
}

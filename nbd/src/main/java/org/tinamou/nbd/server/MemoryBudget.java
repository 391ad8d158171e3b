package org.tinamou.nbd.server;

import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;

/**
 * What all clients of a server together may have in flight. Each has a little of its own that
 * nobody can take from it, so that it gets on while others sit on the rest. Clients may be in any
 * loops.
 */
final class MemoryBudget {
  /** What a client has in any case; requests are worked off in pieces of it if there is no more. */
  static final int OWN_BYTES = 1 << 20;

  /** No client gets more than this part of what is shared. */
  private static final int LARGEST_PART = 4;

  private final long sharedBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Waiter> waiting = new ArrayDeque<>();
  private long usedShared;

  private static final class Waiter {
    final Share share;
    final long bytes;
    final Coroutine coroutine = Coroutine.current();
    volatile boolean granted;

    Waiter(Share share, long bytes) {
      this.share = share;
      this.bytes = bytes;
    }
  }

  /**
   * A budget.
   *
   * @param sharedBytes what there is beside each client's own
   */
  MemoryBudget(long sharedBytes) {
    this.sharedBytes = sharedBytes;
  }

  /** The part of one client. */
  final class Share {
    private long held;

    private long extra(long bytes) {
      return Math.max(0, bytes - OWN_BYTES);
    }

    private boolean fits(long bytes) {
      long more = extra(held + bytes) - extra(held);
      return more == 0
          || (usedShared + more <= sharedBytes
              && extra(held + bytes) <= Math.max(OWN_BYTES, sharedBytes / LARGEST_PART));
    }

    private void take(long bytes) {
      usedShared += extra(held + bytes) - extra(held);
      held += bytes;
    }

    /** Takes so many bytes if they are there and nobody was here before. */
    @HomeThread
    boolean tryReserve(long bytes) {
      lock.lock();
      try {
        if (!fits(bytes) || (held + bytes > OWN_BYTES && !waiting.isEmpty())) {
          return false;
        }
        take(bytes);
        return true;
      } finally {
        lock.unlock();
      }
    }

    /** Waits for so many bytes, at most {@link #OWN_BYTES}. */
    @InCoroutine
    void reserve(long bytes) {
      Check.argument(bytes <= OWN_BYTES, "%s bytes are never certain to be there", bytes);
      Waiter waiter;
      lock.lock();
      try {
        if (tryReserve(bytes)) {
          return;
        }
        waiter = new Waiter(this, bytes);
        waiting.add(waiter);
      } finally {
        lock.unlock();
      }
      while (!waiter.granted) {
        Coroutine.suspend("NBD memory");
      }
    }

    @HomeThread
    void release(long bytes) {
      lock.lock();
      try {
        usedShared -= extra(held) - extra(held - bytes);
        held -= bytes;
        if (!waiting.isEmpty()) {
          grant();
        }
      } finally {
        lock.unlock();
      }
    }

    @HomeThread
    long heldBytes() {
      return held;
    }
  }

  /** Serves who waits, in turn; one whose own part is free need not wait for the others. */
  private void grant() {
    boolean blocked = false;
    for (var each = waiting.iterator(); each.hasNext(); ) {
      Waiter waiter = each.next();
      boolean own = waiter.share.held + waiter.bytes <= OWN_BYTES;
      if ((own || !blocked) && waiter.share.fits(waiter.bytes)) {
        each.remove();
        waiter.share.take(waiter.bytes);
        waiter.granted = true;
        waiter.coroutine.wake();
      } else {
        blocked |= waiter.share.held <= OWN_BYTES;
      }
    }
  }

  Share newShare() {
    return new Share();
  }

  /** What is in flight beside the clients' own parts. */
  @HomeThread
  long usedSharedBytes() {
    lock.lock();
    try {
      return usedShared;
    } finally {
      lock.unlock();
    }
  }
}

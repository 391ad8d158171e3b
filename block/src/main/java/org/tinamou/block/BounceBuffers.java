package org.tinamou.block;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;

/**
 * Page-aligned memory for requests that cannot use the caller's: unaligned edges, zeroes, formats
 * that transform data. One budget for a graph; whoever comes when it is used up waits for others to
 * give back.
 */
public final class BounceBuffers {
  /** The largest buffer there is; longer requests go in pieces. */
  public static final int MAX_BUFFER_BYTES = 2 << 20;

  private static final long BUDGET_BYTES = 64L << 20;

  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Coroutine> waiters = new ArrayDeque<>();
  private long usedBytes;

  BounceBuffers() {}

  /**
   * A buffer of at least that many bytes, with undefined contents; the caller gives it back. Waits
   * while the budget is used up, so a coroutine that holds one must not ask for another.
   *
   * @param sizeBytes up to {@link #MAX_BUFFER_BYTES}
   */
  @InCoroutine
  public MemorySegment take(long sizeBytes) {
    Check.argument(
        sizeBytes > 0 && sizeBytes <= MAX_BUFFER_BYTES, "no buffers of %s bytes", sizeBytes);
    long bytes = PageMemory.roundedBytes(sizeBytes);
    while (!tryReserve(bytes)) {
      Coroutine.suspend("bounce buffer");
    }
    return PageMemory.take(sizeBytes);
  }

  /**
   * A small buffer, for the edges of a request; never waits, and may so go beyond the budget by as
   * much as there are requests.
   */
  @InCoroutine
  public MemorySegment takeSmall(long sizeBytes) {
    lock.lock();
    try {
      usedBytes += PageMemory.roundedBytes(sizeBytes);
    } finally {
      lock.unlock();
    }
    return PageMemory.take(sizeBytes);
  }

  private boolean tryReserve(long bytes) {
    lock.lock();
    try {
      if (usedBytes + bytes > BUDGET_BYTES) {
        waiters.add(Coroutine.current());
        return false;
      }
      usedBytes += bytes;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Gives a buffer back, which the caller no longer uses. */
  @AnyThread
  public void give(MemorySegment buffer) {
    Coroutine[] woken;
    lock.lock();
    try {
      usedBytes -= buffer.byteSize();
      woken = waiters.toArray(Coroutine[]::new);
      waiters.clear();
    } finally {
      lock.unlock();
    }
    PageMemory.give(buffer);
    for (Coroutine waiter : woken) {
      waiter.wake();
    }
  }
}

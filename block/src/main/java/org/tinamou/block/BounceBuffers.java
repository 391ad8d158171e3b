package org.tinamou.block;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
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
  private static final int PAGE_BYTES = 4096;
  private static final int SIZES = Integer.numberOfTrailingZeros(MAX_BUFFER_BYTES / PAGE_BYTES) + 1;

  private final ReentrantLock lock = new ReentrantLock();
  private final List<ArrayDeque<MemorySegment>> free = new ArrayList<>();
  private final ArrayDeque<Coroutine> waiters = new ArrayDeque<>();
  private long allocatedBytes;

  BounceBuffers() {
    for (int i = 0; i < SIZES; i++) {
      free.add(new ArrayDeque<>());
    }
  }

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
    int size = sizeIndex(sizeBytes);
    while (true) {
      MemorySegment buffer = tryTake(size);
      if (buffer != null) {
        return buffer;
      }
      Coroutine.suspend("bounce buffer");
    }
  }

  /**
   * A small buffer beside the budget, for the edges of a request; never waits. Their number is
   * bounded by that of the requests. Blocks larger than any buffer are had only by nodes made for
   * tests; they are not kept.
   */
  @InCoroutine
  public MemorySegment takeSmall(long sizeBytes) {
    if (sizeBytes > MAX_BUFFER_BYTES) {
      return Arena.ofAuto().allocate(sizeBytes, PAGE_BYTES);
    }
    int size = sizeIndex(sizeBytes);
    lock.lock();
    try {
      MemorySegment kept = free.get(size).poll();
      if (kept != null) {
        return kept;
      }
      allocatedBytes += (long) PAGE_BYTES << size;
      return Arena.ofAuto().allocate((long) PAGE_BYTES << size, PAGE_BYTES);
    } finally {
      lock.unlock();
    }
  }

  private @Nullable MemorySegment tryTake(int size) {
    lock.lock();
    try {
      MemorySegment kept = free.get(size).poll();
      if (kept != null) {
        return kept;
      }
      long bytes = (long) PAGE_BYTES << size;
      if (allocatedBytes + bytes > BUDGET_BYTES && !dropFree(bytes)) {
        waiters.add(Coroutine.current());
        return null;
      }
      allocatedBytes += bytes;
      return Arena.ofAuto().allocate(bytes, PAGE_BYTES);
    } finally {
      lock.unlock();
    }
  }

  /** Forgets free buffers of other sizes until {@code bytes} fit; false if they do not. */
  private boolean dropFree(long bytes) {
    for (ArrayDeque<MemorySegment> each : free) {
      while (allocatedBytes + bytes > BUDGET_BYTES && !each.isEmpty()) {
        allocatedBytes -= each.remove().byteSize();
      }
    }
    return allocatedBytes + bytes <= BUDGET_BYTES;
  }

  /** Gives a buffer back, which the caller no longer uses. */
  @AnyThread
  public void give(MemorySegment buffer) {
    if (buffer.byteSize() > MAX_BUFFER_BYTES) {
      return;
    }
    Coroutine[] woken;
    lock.lock();
    try {
      if (allocatedBytes > BUDGET_BYTES) {
        allocatedBytes -= buffer.byteSize();
      } else {
        free.get(sizeIndex(buffer.byteSize())).push(buffer);
      }
      woken = waiters.toArray(Coroutine[]::new);
      waiters.clear();
    } finally {
      lock.unlock();
    }
    for (Coroutine waiter : woken) {
      waiter.wake();
    }
  }

  private static int sizeIndex(long sizeBytes) {
    int pages = (int) ((sizeBytes + PAGE_BYTES - 1) / PAGE_BYTES);
    return Integer.SIZE - Integer.numberOfLeadingZeros(pages - 1);
  }
}

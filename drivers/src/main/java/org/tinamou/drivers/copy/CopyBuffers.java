package org.tinamou.drivers.copy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.InCoroutine;

/** Page-aligned memory for one copy, within a budget; whoever comes when it is used up waits. */
final class CopyBuffers {
  private static final long PAGE_BYTES = 4096;
  private static final long BUDGET_BYTES = 128L << 20;

  private final Arena arena = Arena.ofShared();
  private final ReentrantLock lock = new ReentrantLock();
  private final CoQueue waiters = new CoQueue("memory for a copy");
  private final ArrayDeque<MemorySegment> free = new ArrayDeque<>();
  private final long bufferBytes;
  private int inUse;

  CopyBuffers(long bufferBytes) {
    this.bufferBytes = bufferBytes;
  }

  /** The size of each buffer. */
  long bufferBytes() {
    return bufferBytes;
  }

  @InCoroutine
  MemorySegment take() {
    while (true) {
      MemorySegment taken = tryTake();
      if (taken != null) {
        return taken;
      }
      waiters.awaitUnless(this::isAvailable);
    }
  }

  private boolean isAvailable() {
    lock.lock();
    try {
      return fits();
    } finally {
      lock.unlock();
    }
  }

  private boolean fits() {
    return inUse == 0 || (inUse + 1) * bufferBytes <= BUDGET_BYTES;
  }

  private @Nullable MemorySegment tryTake() {
    lock.lock();
    try {
      if (!fits()) {
        return null;
      }
      inUse++;
      MemorySegment kept = free.poll();
      return kept != null ? kept : arena.allocate(bufferBytes, PAGE_BYTES);
    } finally {
      lock.unlock();
    }
  }

  @AnyThread
  void give(MemorySegment buffer) {
    lock.lock();
    try {
      inUse--;
      free.push(buffer);
    } finally {
      lock.unlock();
    }
    waiters.wakeOne();
  }

  /** Nothing is in use any more. */
  void close() {
    arena.close();
  }
}

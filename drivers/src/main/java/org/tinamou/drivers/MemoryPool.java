package org.tinamou.drivers;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.InCoroutine;

/**
 * Pieces of memory for what is copied, unpacked or encrypted: at most {@value #MAX_BUFFERS} at a
 * time; whoever needs one more waits. Nobody asks a pool for one while holding another of it.
 */
public final class MemoryPool {
  private static final int MAX_BUFFERS = 16;
  private static final int ALIGNMENT_BYTES = 4096;

  private final int sizeBytes;
  private final Arena arena = Arena.ofShared();
  private final ReentrantLock lock = new ReentrantLock();
  private final CoQueue waiting = new CoQueue("pooled memory");
  private final ArrayDeque<MemorySegment> idle = new ArrayDeque<>();
  private int made;

  /** A pool of pieces of that size. */
  public MemoryPool(int sizeBytes) {
    this.sizeBytes = sizeBytes;
  }

  /** A piece whose content is of no interest; {@link #give} takes it back. */
  @InCoroutine
  public MemorySegment take() {
    while (true) {
      MemorySegment buffer = tryTake();
      if (buffer != null) {
        return buffer;
      }
      waiting.awaitUnless(this::hasSome);
    }
  }

  private @Nullable MemorySegment tryTake() {
    lock.lock();
    try {
      if (idle.isEmpty() && made < MAX_BUFFERS) {
        made++;
        return arena.allocate(sizeBytes, ALIGNMENT_BYTES);
      }
      return idle.poll();
    } finally {
      lock.unlock();
    }
  }

  private boolean hasSome() {
    lock.lock();
    try {
      return made < MAX_BUFFERS || !idle.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /** Takes back a piece. */
  @AnyThread
  public void give(MemorySegment buffer) {
    lock.lock();
    try {
      idle.add(buffer);
    } finally {
      lock.unlock();
    }
    waiting.wakeAll();
  }

  /** Frees all memory, which nobody uses any more. */
  @AnyThread
  public void close() {
    arena.close();
  }
}

package org.tinamou.api;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;

/**
 * Off-heap memory for what comes from heap arrays. At most {@value #MAX_BUFFERS} buffers of {@value
 * #BUFFER_BYTES} bytes; whoever finds none waits for one.
 */
final class TransferBuffers implements AutoCloseable {
  static final int BUFFER_BYTES = 1 << 20;
  static final int MAX_BUFFERS = 64;
  private static final int ALIGNMENT_BYTES = 4096;

  private final Arena arena = Arena.ofShared();
  private final ReentrantLock lock = new ReentrantLock();
  private final CoQueue waiting = new CoQueue("transfer buffer");
  private final Deque<MemorySegment> idle = new ArrayDeque<>();
  private int made;

  /** A buffer of {@link #BUFFER_BYTES}, to be given back. */
  @InCoroutine
  MemorySegment take() {
    while (true) {
      MemorySegment taken = tryTake();
      if (taken != null) {
        return taken;
      }
      waiting.awaitUnless(this::hasSome);
    }
  }

  private boolean hasSome() {
    lock.lock();
    try {
      return !idle.isEmpty() || made < MAX_BUFFERS;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable MemorySegment tryTake() {
    lock.lock();
    try {
      if (idle.isEmpty() && made < MAX_BUFFERS) {
        made++;
        return arena.allocate(BUFFER_BYTES, ALIGNMENT_BYTES);
      }
      return idle.pollLast();
    } finally {
      lock.unlock();
    }
  }

  @AnyThread
  void give(MemorySegment buffer) {
    lock.lock();
    try {
      idle.addLast(buffer);
    } finally {
      lock.unlock();
    }
    waiting.wakeAll();
  }

  @Override
  public void close() {
    Check.state(idle.size() == made, "transfer buffers are in use");
    arena.close();
  }
}

package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.InCoroutine;

/**
 * Memory for whole clusters that are copied or unpacked: at most {@value #MAX_BUFFERS} at a time;
 * whoever needs one more waits. Nobody asks for one while holding another.
 */
final class ClusterBuffers {
  private static final int MAX_BUFFERS = 16;
  private static final int ALIGNMENT_BYTES = 4096;

  private final int sizeBytes;
  private final Arena arena = Arena.ofShared();
  private final ReentrantLock lock = new ReentrantLock();
  private final CoQueue waiting = new CoQueue("cluster buffer");
  private final ArrayDeque<MemorySegment> idle = new ArrayDeque<>();
  private int made;

  ClusterBuffers(int sizeBytes) {
    this.sizeBytes = sizeBytes;
  }

  @InCoroutine
  MemorySegment take() {
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

  @AnyThread
  void give(MemorySegment buffer) {
    lock.lock();
    try {
      idle.add(buffer);
    } finally {
      lock.unlock();
    }
    waiting.wakeAll();
  }

  void close() {
    arena.close();
  }
}

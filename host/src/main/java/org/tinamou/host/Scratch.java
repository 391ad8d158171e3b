package org.tinamou.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A little off-heap memory for the length of one call: where errno is captured and small structures
 * pass. Borrowed from a fixed pool, so calls allocate nothing; it belongs to the borrower alone, on
 * whichever kind of thread. If the pool is busy a fresh one is made and left to the collector.
 */
final class Scratch {
  private static final int POOL_SIZE = 64;
  private static final int PROBES = 4;
  private static final long STRUCT_BYTES = 512;
  private static final long CAPTURE_STRIDE_BYTES = 64;
  private static final AtomicReferenceArray<@Nullable Scratch> POOL =
      new AtomicReferenceArray<>(POOL_SIZE);

  /** Where errno goes. */
  final MemorySegment capture;

  /** 512 bytes, 64-byte aligned, of unspecified content. */
  final MemorySegment struct;

  private Scratch() {
    MemorySegment memory = Arena.ofAuto().allocate(CAPTURE_STRIDE_BYTES + STRUCT_BYTES, 64);
    this.capture = memory.asSlice(0, NativeCalls.CAPTURE_BYTES);
    this.struct = memory.asSlice(CAPTURE_STRIDE_BYTES, STRUCT_BYTES);
  }

  /** Borrows one; to be given back with {@link #release} on every path. */
  static Scratch take() {
    for (int probe = 0; probe < PROBES; probe++) {
      int index = index(probe);
      Scratch pooled = POOL.getPlain(index);
      if (pooled != null && POOL.compareAndSet(index, pooled, null)) {
        return pooled;
      }
    }
    return new Scratch();
  }

  void release() {
    for (int probe = 0; probe < PROBES; probe++) {
      int index = index(probe);
      if (POOL.getPlain(index) == null && POOL.compareAndSet(index, null, this)) {
        return;
      }
    }
  }

  private static int index(int probe) {
    return (int) ((Thread.currentThread().threadId() + probe) % POOL_SIZE);
  }
}

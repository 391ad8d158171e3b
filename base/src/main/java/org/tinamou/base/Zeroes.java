package org.tinamou.base;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Looks for zero bytes at memory speed. */
public final class Zeroes {
  private static final long BLOCK_BYTES = 64 << 10;
  private static final MemorySegment ZERO_BLOCK =
      MemorySegment.ofArray(new byte[(int) BLOCK_BYTES]);

  private Zeroes() {}

  /** Whether every byte of the segment is zero; true for an empty one. */
  public static boolean isZero(MemorySegment segment) {
    long size = segment.byteSize();
    if (size == 0) {
      return true;
    }
    if (segment.get(ValueLayout.JAVA_BYTE, 0) != 0
        || segment.get(ValueLayout.JAVA_BYTE, size - 1) != 0) {
      return false;
    }
    for (long offset = 0; offset < size; offset += BLOCK_BYTES) {
      long length = Math.min(BLOCK_BYTES, size - offset);
      if (MemorySegment.mismatch(segment, offset, offset + length, ZERO_BLOCK, 0, length) >= 0) {
        return false;
      }
    }
    return true;
  }
}

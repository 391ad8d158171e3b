package org.tinamou.tools.img;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Finds out which parts of a buffer are worth writing. */
final class ZeroRuns {
  private static final int BLOCK_BYTES = 64 << 10;
  private static final MemorySegment ZEROES = MemorySegment.ofArray(new byte[BLOCK_BYTES]);

  private ZeroRuns() {}

  static boolean isZero(MemorySegment buffer) {
    return firstNonZero(buffer) < 0;
  }

  /** The position of the first byte that is not zero, or -1. */
  static long firstNonZero(MemorySegment buffer) {
    long size = buffer.byteSize();
    for (long start = 0; start < size; start += BLOCK_BYTES) {
      long length = Math.min(BLOCK_BYTES, size - start);
      long position = MemorySegment.mismatch(buffer, start, start + length, ZEROES, 0, length);
      if (position >= 0) {
        return start + position;
      }
    }
    return -1;
  }

  /**
   * How many bytes from {@code start} on are zero, in whole units; 0 if the first unit is not.
   *
   * @param start a position in the buffer
   * @param unitBytes a power of two up to 64 KiB; units lie at multiples of it in the image
   * @param imageOffset where the buffer belongs in the image
   */
  static long zeroes(MemorySegment buffer, long start, int unitBytes, long imageOffset) {
    long position = start;
    while (position < buffer.byteSize()) {
      long end = unitEnd(buffer, position, unitBytes, imageOffset);
      if (!isZero(buffer, position, end)) {
        break;
      }
      position = end;
    }
    return position - start;
  }

  /**
   * How many bytes from {@code start} on are to be written: up to the next run of at least {@code
   * leastBytes} of zeroes.
   */
  static long data(
      MemorySegment buffer, long start, int unitBytes, long imageOffset, long leastBytes) {
    long position = start;
    while (position < buffer.byteSize()) {
      long end = unitEnd(buffer, position, unitBytes, imageOffset);
      if (isZero(buffer, position, end)) {
        long run = zeroes(buffer, position, unitBytes, imageOffset);
        if (run >= leastBytes) {
          break;
        }
        end = position + run;
      }
      position = end;
    }
    return position - start;
  }

  private static long unitEnd(
      MemorySegment buffer, long position, int unitBytes, long imageOffset) {
    long end = ((imageOffset + position) & -(long) unitBytes) + unitBytes - imageOffset;
    return Math.min(end, buffer.byteSize());
  }

  private static boolean isZero(MemorySegment buffer, long start, long end) {
    // Most units that are not zero show it at once.
    if (buffer.get(ValueLayout.JAVA_BYTE, start) != 0
        || buffer.get(ValueLayout.JAVA_BYTE, end - 1) != 0) {
      return false;
    }
    for (long position = start; position < end; position += BLOCK_BYTES) {
      long length = Math.min(BLOCK_BYTES, end - position);
      if (MemorySegment.mismatch(buffer, position, position + length, ZEROES, 0, length) >= 0) {
        return false;
      }
    }
    return true;
  }
}

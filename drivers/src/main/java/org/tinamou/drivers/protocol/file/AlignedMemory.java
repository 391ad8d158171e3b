package org.tinamou.drivers.protocol.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Off-heap memory that any device can transfer to and from directly. */
public final class AlignedMemory {
  /** What satisfies every device. */
  public static final int ALIGNMENT_BYTES = 4096;

  private AlignedMemory() {}

  /** Page-aligned memory of zeroes that lives as long as the arena. */
  public static MemorySegment allocate(Arena arena, long sizeBytes) {
    return arena.allocate(sizeBytes, ALIGNMENT_BYTES);
  }

  static boolean isAligned(long value, int alignmentBytes) {
    return (value & (alignmentBytes - 1)) == 0;
  }

  static long roundDown(long value, int alignmentBytes) {
    return value & -(long) alignmentBytes;
  }

  static long roundUp(long value, int alignmentBytes) {
    return roundDown(value + alignmentBytes - 1, alignmentBytes);
  }
}

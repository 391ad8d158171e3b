package org.tinamou.drivers.format.qcow2;

/**
 * The second half of an extended entry: which of a cluster's 32 parts have data in it (the low
 * bits), and which read as zeroes (the high ones).
 */
final class Parts {
  static final int COUNT = 32;

  /** All parts read as zeroes. */
  static final long ALL_ZERO = -1L << COUNT;

  /** What a part is. */
  enum Kind {
    UNALLOCATED,
    ZERO,
    ALLOCATED,
    /** Both zero and allocated. */
    INVALID
  }

  private Parts() {}

  static Kind kind(long parts, int part) {
    boolean allocated = (parts >>> part & 1) != 0;
    boolean zero = (parts >>> COUNT + part & 1) != 0;
    if (zero) {
      return allocated ? Kind.INVALID : Kind.ZERO;
    }
    return allocated ? Kind.ALLOCATED : Kind.UNALLOCATED;
  }

  /** The low bits of a range of parts. */
  private static long range(int from, int to) {
    return (1L << to) - (1L << from);
  }

  /** The first part with data, or {@link #COUNT}. */
  static int firstAllocated(long parts) {
    return Math.min(COUNT, Long.numberOfTrailingZeros(parts & range(0, COUNT) | 1L << COUNT));
  }

  /** The part behind the last one with data, or 0. */
  static int endAllocated(long parts) {
    return Long.SIZE - Long.numberOfLeadingZeros(parts & range(0, COUNT));
  }

  /** With data in a range of parts. */
  static long allocate(long parts, int from, int to) {
    return parts & ~(range(from, to) << COUNT) | range(from, to);
  }

  /** With zeroes in a range of parts. */
  static long zero(long parts, int from, int to) {
    return parts & ~range(from, to) | range(from, to) << COUNT;
  }

  /** Without data anywhere. */
  static long withoutData(long parts) {
    return parts & ALL_ZERO;
  }

  /** Whether some part is both zero and allocated. */
  static boolean isInvalid(long parts) {
    return (parts & parts >>> COUNT & range(0, COUNT)) != 0;
  }
}

package org.tinamou.drivers.format.qcow2;

/** What the entries of the cluster tables mean. */
final class Entry {
  /** The cluster is referred to once: it can be written in place. */
  static final long COPIED = 1L << 63;

  static final long COMPRESSED = 1L << 62;

  /** Reads as zeroes, whatever the cluster holds. */
  static final long ZERO = 1;

  static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
  static final int SECTOR_BITS = 9;

  /** What a guest cluster is. */
  enum Kind {
    UNALLOCATED,
    /** Zeroes without a cluster. */
    ZERO_PLAIN,
    /** Zeroes with a cluster in reserve. */
    ZERO_ALLOCATED,
    NORMAL,
    COMPRESSED
  }

  private Entry() {}

  static Kind kind(long entry) {
    if ((entry & COMPRESSED) != 0) {
      return Kind.COMPRESSED;
    }
    boolean allocated = (entry & OFFSET_MASK) != 0;
    if ((entry & ZERO) != 0) {
      return allocated ? Kind.ZERO_ALLOCATED : Kind.ZERO_PLAIN;
    }
    return allocated ? Kind.NORMAL : Kind.UNALLOCATED;
  }

  static long offset(long entry) {
    return entry & OFFSET_MASK;
  }

  static boolean isCopied(long entry) {
    return (entry & COPIED) != 0;
  }

  /** Where a compressed cluster begins; any byte. */
  static long compressedOffset(long entry, Geometry geometry) {
    return entry & (1L << compressedOffsetBits(geometry)) - 1;
  }

  private static int compressedOffsetBits(Geometry geometry) {
    return 62 - (geometry.clusterBits() - 8);
  }

  /** How many bytes at its offset hold it; the last may be of another. */
  static int compressedBytes(long entry, Geometry geometry) {
    int bits = compressedOffsetBits(geometry);
    long sectors = (entry & COMPRESSED - 1) >>> bits;
    int inSector = (int) (compressedOffset(entry, geometry) & (1 << SECTOR_BITS) - 1);
    return (int) ((sectors + 1 << SECTOR_BITS) - inSector);
  }

  /** The entry of compressed data. */
  static long compressed(long offset, int length, Geometry geometry) {
    long lastSector = offset + length - 1 >>> SECTOR_BITS;
    long more = lastSector - (offset >>> SECTOR_BITS);
    return COMPRESSED | more << compressedOffsetBits(geometry) | offset;
  }

  /** Whether an offset can be told in a compressed cluster's entry. */
  static boolean canBeCompressedAt(long offset, Geometry geometry) {
    return offset >>> compressedOffsetBits(geometry) == 0;
  }
}

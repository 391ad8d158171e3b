package org.tinamou.drivers.filter.blklogwrites;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Parsed;

/**
 * The first sector of a log in the format of Linux's dm-log-writes: little-endian magic, version,
 * number of entries (8 bytes each) and sector size (4 bytes).
 *
 * @param entries how many entries follow
 * @param sectorBytes the unit of everything in the log, a power of two
 */
record LogSuper(long entries, int sectorBytes) {
  static final int SIZE_BYTES = 28;
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long MAGIC = 0x6a736677736872L;
  private static final long VERSION = 1;
  private static final int MAX_SECTOR_BYTES = 8 << 20;
  private static final int VERSION_AT = 8;
  private static final int ENTRIES_AT = 16;
  private static final int SECTOR_AT = 24;

  /** Whether a log can have sectors of this size. */
  @AnyThread
  static boolean isSectorSize(long bytes) {
    return Long.bitCount(bytes) == 1 && bytes >= SIZE_BYTES && bytes <= MAX_SECTOR_BYTES;
  }

  /** Reads the first {@link #SIZE_BYTES} of a log. */
  @AnyThread
  static Parsed<LogSuper> parse(MemorySegment bytes) {
    if (bytes.get(LONG, 0) != MAGIC) {
      return new Parsed.Malformed<>("magic", "Invalid log superblock magic");
    }
    long version = bytes.get(LONG, VERSION_AT);
    if (version != VERSION) {
      return new Parsed.Malformed<>(
          "version", "Unsupported log version " + Long.toUnsignedString(version));
    }
    long sectorBytes = Integer.toUnsignedLong(bytes.get(INT, SECTOR_AT));
    if (!isSectorSize(sectorBytes)) {
      return new Parsed.Malformed<>("sectorsize", "Invalid log sector size " + sectorBytes);
    }
    return new Parsed.Value<>(new LogSuper(bytes.get(LONG, ENTRIES_AT), (int) sectorBytes));
  }

  /** Writes it to the start of a sector; the rest becomes zero. */
  @AnyThread
  void write(MemorySegment sector) {
    sector.fill((byte) 0);
    sector.set(LONG, 0, MAGIC);
    sector.set(LONG, VERSION_AT, VERSION);
    sector.set(LONG, ENTRIES_AT, entries);
    sector.set(INT, SECTOR_AT, sectorBytes);
  }
}

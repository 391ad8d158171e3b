package org.tinamou.testkit.crash;

import java.util.Arrays;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a guest may find on its disk after a power cut, sector by sector: what it had when its last
 * flush completed, or whatever it wrote since then.
 */
final class GuestModel {
  static final int SECTOR_BYTES = 512;

  /** The content of sectors that read as zeroes. */
  static final int ZERO = 0;

  /** The content of the backing file. */
  static final int BACKING = 1;

  private static final int FIRST_WRITTEN = 2;

  /** For each sector a set of contents, as bits, that is known when everything has completed. */
  private final long[] latest;

  /** The same for after a power cut. */
  private final long[] possible;

  private final Contents whole = new Contents();
  private final TreeSet<Long> sizes = new TreeSet<>();
  private final long backingBytes;
  private long size;
  private int contents = FIRST_WRITTEN;

  /** Disks that are full of one content, as far as anybody has asked. */
  static final class Contents {
    private final byte[][] disks = new byte[Long.SIZE][0];

    byte[] get(int content, int length) {
      byte[] disk = disks[content];
      if (disk.length < length) {
        int known = disk.length;
        disk = Arrays.copyOf(disk, Math.max(length, 2 * known));
        for (int at = known; at < disk.length; at++) {
          disk[at] = byteAt(content, at);
        }
        disks[content] = disk;
      }
      return disk;
    }
  }

  /**
   * What the guest may find.
   *
   * @param sectors for each sector the contents it may have, as bits
   * @param sizes the sizes the disk may have
   */
  record Promise(Contents contents, long[] sectors, long[] sizes) implements DiskPromise {
    @Override
    public @Nullable String violatedBy(byte[] disk) {
      int sizeBytes = disk.length;
      if (Arrays.binarySearch(sizes, sizeBytes) < 0) {
        return "the disk has %d bytes, expected one of %s"
            .formatted(sizeBytes, Arrays.toString(sizes));
      }
      int end = Math.min(sectors.length, sizeBytes / SECTOR_BYTES);
      for (int sector = 0; sector < end; sector++) {
        if (!matches(disk, sector)) {
          return "sector %d (byte %#x) has none of the contents %s, but %s"
              .formatted(
                  sector,
                  sector * SECTOR_BYTES,
                  Long.toBinaryString(sectors[sector]),
                  guess(disk, sector));
        }
      }
      return null;
    }

    private boolean matches(byte[] disk, int sector) {
      for (long left = sectors[sector]; left != 0; left &= left - 1) {
        if (isContent(disk, sector, Long.numberOfTrailingZeros(left))) {
          return true;
        }
      }
      return false;
    }

    private boolean isContent(byte[] disk, int sector, int content) {
      return firstDifference(disk, sector, content) < 0;
    }

    private int firstDifference(byte[] disk, int sector, int content) {
      int start = sector * SECTOR_BYTES;
      int end = start + SECTOR_BYTES;
      byte[] wanted = contents.get(content, end);
      return Arrays.mismatch(disk, start, end, wanted, start, end);
    }

    private String guess(byte[] disk, int sector) {
      for (int content = 0; content < Long.SIZE; content++) {
        if (isContent(disk, sector, content)) {
          return "content " + content;
        }
      }
      int wanted = Long.numberOfTrailingZeros(sectors[sector]);
      return "bytes that differ from content %d at %d"
          .formatted(wanted, firstDifference(disk, sector, wanted));
    }
  }

  /** A disk that reads as zeroes behind the backing file's end. */
  GuestModel(long mostBytes, long sizeBytes, long backingBytes) {
    latest = new long[(int) (mostBytes / SECTOR_BYTES)];
    Arrays.fill(latest, 1L << ZERO);
    Arrays.fill(latest, 0, (int) (Math.min(backingBytes, sizeBytes) / SECTOR_BYTES), 1L << BACKING);
    possible = latest.clone();
    this.backingBytes = backingBytes;
    size = sizeBytes;
    sizes.add(sizeBytes);
  }

  /** A byte of some content at a place of the disk. */
  static byte byteAt(int content, int position) {
    return content == ZERO ? 0 : (byte) (content * 37 + position / 8 * 11 + (position >> 11) + 1);
  }

  long size() {
    return size;
  }

  /** A new content for a write. */
  int newContent() {
    return contents++;
  }

  /** A write begins; when it has completed, the sectors have the content. */
  void write(long offset, long length, int content, boolean certain) {
    int end = (int) ((offset + length) / SECTOR_BYTES);
    for (int sector = (int) (offset / SECTOR_BYTES); sector < end; sector++) {
      possible[sector] |= 1L << content;
      latest[sector] = (certain ? 0 : latest[sector]) | 1L << content;
    }
  }

  /**
   * The disk gets another size; what is cut off comes back as zeroes. Until the size has changed,
   * what is below may show through.
   */
  void resize(long newSize) {
    if (newSize < size) {
      write(newSize, size - newSize, ZERO, true);
      int end = (int) (Math.min(size, backingBytes) / SECTOR_BYTES);
      for (int sector = (int) (newSize / SECTOR_BYTES); sector < end; sector++) {
        possible[sector] |= 1L << BACKING;
      }
    }
    size = newSize;
    sizes.add(newSize);
  }

  /**
   * What a disk that is kept as it is now shows.
   *
   * @param sizeBytes of the disk
   */
  record Kept(long[] sectors, long sizeBytes) {
    /** What is wrong with such a disk, or null. */
    @Nullable String violatedBy(Contents contents, byte[] disk) {
      byte[] seen = Arrays.copyOf(disk, (int) Math.min(disk.length, sizeBytes));
      return new Promise(contents, sectors, new long[] {seen.length}).violatedBy(seen);
    }
  }

  Kept keep() {
    return new Kept(latest.clone(), size);
  }

  Contents contents() {
    return whole;
  }

  /** The disk becomes one that was kept. */
  void revert(Kept kept) {
    for (int sector = 0; sector < latest.length; sector++) {
      boolean inside = (long) sector * SECTOR_BYTES < kept.sizeBytes();
      latest[sector] = inside ? kept.sectors()[sector] : 1L << ZERO;
      possible[sector] |= latest[sector] | (inside ? 0 : 1L << ZERO);
    }
    size = kept.sizeBytes();
    sizes.add(size);
  }

  /** The disk may become one that was kept, or stay as it is. */
  void mayRevert(Kept kept) {
    for (int sector = 0; sector < latest.length; sector++) {
      boolean inside = (long) sector * SECTOR_BYTES < kept.sizeBytes();
      long others = inside ? kept.sectors()[sector] : 1L << ZERO;
      latest[sector] |= others;
      possible[sector] |= others;
    }
    sizes.add(kept.sizeBytes());
  }

  /** The disk turns out to have one of the sizes that it may have. */
  void hasSize(long bytes) {
    size = bytes;
  }

  /** The disk shows what is below, or whatever it had. */
  void empty() {
    int below = (int) (Math.min(backingBytes, size) / SECTOR_BYTES);
    for (int sector = 0; sector < size / SECTOR_BYTES; sector++) {
      long bit = 1L << (sector < below ? BACKING : ZERO);
      possible[sector] |= bit;
      latest[sector] |= bit;
    }
  }

  /** What is promised if a flush that begins now completes. */
  long[] beforeFlush() {
    return latest.clone();
  }

  /** A flush has completed that began with these contents and had the disk for itself. */
  void flushed(long[] before) {
    System.arraycopy(before, 0, possible, 0, before.length);
    sizes.clear();
    sizes.add(size);
  }

  Promise promise() {
    return new Promise(
        whole, possible.clone(), sizes.stream().mapToLong(Long::longValue).toArray());
  }
}

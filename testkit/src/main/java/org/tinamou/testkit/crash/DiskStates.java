package org.tinamou.testkit.crash;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The disks that may be found: one of them, or one made of sectors of them.
 *
 * @param whole whether a disk has to be one of them
 */
record DiskStates(List<byte[]> disks, boolean whole) implements DiskPromise {
  private static final int SECTOR_BYTES = 512;

  @Override
  public @Nullable String violatedBy(byte[] disk) {
    if (disks.stream().noneMatch(each -> each.length == disk.length)) {
      return "the disk has %d bytes, expected one of %s"
          .formatted(disk.length, disks.stream().map(each -> each.length).distinct().toList());
    }
    if (disks.stream().anyMatch(each -> Arrays.equals(each, disk))) {
      return null;
    }
    if (whole) {
      return "the disk is none of the %d that it may be, and differs from the first at byte %#x"
          .formatted(disks.size(), Arrays.mismatch(disk, disks.getFirst()));
    }
    return violatedBySectors(disk);
  }

  /** The same for something that may have any length. */
  @Nullable String violatedBySectors(byte[] disk) {
    for (int at = 0; at < disk.length; at += SECTOR_BYTES) {
      int end = Math.min(disk.length, at + SECTOR_BYTES);
      if (!isKnown(disk, at, end)) {
        return "sector %d (byte %#x) is in none of the %d disks"
            .formatted(at / SECTOR_BYTES, at, disks.size());
      }
    }
    return null;
  }

  private boolean isKnown(byte[] disk, int from, int to) {
    for (byte[] each : disks) {
      if (each.length >= to ? Arrays.equals(disk, from, to, each, from, to) : each.length <= from) {
        return true;
      }
    }
    return false;
  }
}

package org.tinamou.testkit.crash;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.tinamou.base.SeededRandom;

/** What a guest or a user does to the image. */
enum CrashOperation {
  ALLOCATE,
  OVERWRITE,
  COPY_ON_WRITE,
  ZERO,
  DISCARD,
  COMPRESSED,
  RESIZE,
  FLUSH,
  SNAPSHOT,
  REVERT,
  FORGET,
  EMPTY,
  BITMAP,
  OLD_BITMAP,
  AMEND,
  COMPACT,
  COMMIT,
  REBASE,
  /** From here on those that {@link #sequences} does not have. */
  MERGE_BITMAPS,
  ENABLE_BITMAP,
  MACHINE_STATE,
  STAND_ALONE,
  OTHER_NAME;

  /** All sequences of one or two operations, of those that came first. */
  static List<List<CrashOperation>> sequences() {
    return sequences(EnumSet.range(ALLOCATE, REBASE));
  }

  /** All sequences of one or two operations. */
  static List<List<CrashOperation>> moreSequences() {
    return sequences(EnumSet.allOf(CrashOperation.class));
  }

  private static List<List<CrashOperation>> sequences(Set<CrashOperation> operations) {
    List<List<CrashOperation>> all = new ArrayList<>();
    for (CrashOperation first : operations) {
      all.add(List.of(first));
      for (CrashOperation second : operations) {
        all.add(List.of(first, second));
      }
    }
    return all;
  }

  /**
   * Where it is done, in whole sectors. The first quarter of the used part of the disk has data,
   * the second packed data, the third nothing, the last zeroes with clusters in reserve.
   *
   * @param length may be 0
   */
  record Range(long offset, long length) {}

  /** Whether it changes more than the disk. */
  boolean isOfImage() {
    return compareTo(SNAPSHOT) >= 0;
  }

  /** Whether it forgets everything that the image holds. */
  boolean isEmptying() {
    return this == EMPTY || this == COMMIT;
  }

  /** Whether it has to do with what is below the image. */
  boolean isOfChain() {
    return this == COMMIT || this == REBASE || this == STAND_ALONE || this == OTHER_NAME;
  }

  /** Whether it needs a bitmap that the image has from the beginning. */
  boolean isOfBitmap() {
    return this == OLD_BITMAP || this == MERGE_BITMAPS || this == ENABLE_BITMAP;
  }

  /** Whether the image has to be opened anew afterwards. */
  boolean isLast() {
    return switch (this) {
      case AMEND, COMPACT, REBASE, STAND_ALONE, OTHER_NAME -> true;
      default -> false;
    };
  }

  /** Whether it has the image for itself. */
  boolean comesAlone() {
    return switch (this) {
      case REVERT, COMMIT, BITMAP, OLD_BITMAP, MERGE_BITMAPS, ENABLE_BITMAP -> true;
      default -> isLast();
    };
  }

  /** A range as this operation needs it. */
  Range draw(SeededRandom random, CrashConfig config) {
    int cluster = config.clusterBytes();
    long quarter = config.usedBytes() / 4;
    long clusters = quarter / cluster;
    return switch (this) {
      case ALLOCATE -> sectors(random, 2 * quarter, quarter, cluster);
      case OVERWRITE -> sectors(random, 0, quarter, cluster);
      case COPY_ON_WRITE -> sectors(random, quarter, 3 * quarter, cluster);
      case ZERO -> sectors(random, 0, 4 * quarter, 4 * cluster);
      case DISCARD, COMPRESSED -> {
        long first = random.nextLong(4 * clusters);
        long count = 1 + random.nextLong(Math.min(4, 4 * clusters - first));
        yield new Range(first * cluster, count * cluster);
      }
      case RESIZE -> new Range(0, newSize(random, config));
      case MACHINE_STATE -> sectors(random, 0, 4 * quarter, 4 * cluster);
      case FLUSH,
          SNAPSHOT,
          REVERT,
          FORGET,
          EMPTY,
          BITMAP,
          OLD_BITMAP,
          AMEND,
          COMPACT,
          COMMIT,
          REBASE,
          MERGE_BITMAPS,
          ENABLE_BITMAP,
          STAND_ALONE,
          OTHER_NAME ->
          new Range(0, 0);
    };
  }

  private static Range sectors(SeededRandom random, long start, long room, int most) {
    int unit = GuestModel.SECTOR_BYTES;
    long first = random.nextLong(room / unit);
    long longest = Math.min(room / unit - first, 1 + 3L * most / unit);
    return new Range(start + first * unit, (1 + random.nextLong(longest)) * unit);
  }

  private static long newSize(SeededRandom random, CrashConfig config) {
    long disk = config.diskBytes();
    int unit = GuestModel.SECTOR_BYTES;
    return switch (random.nextInt(4)) {
      case 0 -> disk + config.clusterBytes();
      case 1 -> 2 * disk;
      case 2 -> disk + 64L * 64 * config.clusterBytes() / 8;
      default -> Math.max(unit, random.nextLong(disk / unit) * unit);
    };
  }
}

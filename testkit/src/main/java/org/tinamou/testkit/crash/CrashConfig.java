package org.tinamou.testkit.crash;

import org.tinamou.base.SeededRandom;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;

/**
 * What kind of image is put to the test.
 *
 * @param backed whether it has a backing file
 * @param smallCaches whether tables have to leave memory early
 * @param concurrent whether the operations run at the same time
 * @param failAt which write or flush of the file fails, once; 0 for none
 * @param filled how many clusters the file has beforehand, so that a block of counts, or the table
 *     of them, is nearly full; or 0
 * @param extended whether parts of clusters are told apart
 */
record CrashConfig(
    boolean version3,
    int clusterBytes,
    int refcountBits,
    boolean lazyRefcounts,
    boolean backed,
    boolean smallCaches,
    boolean concurrent,
    int failAt,
    int filled,
    boolean extended) {
  private static final int DISK_CLUSTERS = 48;
  private static final int LARGE_DISK_CLUSTERS = 16;
  private static final int SMALLEST_EXTENDED_BYTES = 1 << 14;
  private static final int PARTS = 32;

  static CrashConfig draw(SeededRandom random) {
    boolean version3 = random.nextInt(5) > 0;
    int clusterBits = random.nextInt(8) == 0 ? 16 : 9 + random.nextInt(4);
    int refcountBits = version3 ? 1 << random.nextInt(7) : 16;
    boolean lazy = version3 && random.nextInt(4) == 0;
    boolean backed = random.nextBoolean();
    boolean caches = random.nextInt(3) > 0;
    boolean concurrent = random.nextInt(3) == 0;
    int failAt = random.nextInt(3) == 0 ? 1 + random.nextInt(16) : 0;
    int filled = 0;
    if (version3 && random.nextInt(4) == 0) {
      clusterBits = 9;
      refcountBits = 32 << random.nextInt(2);
      int perBlock = 4096 / refcountBits; // in a block of 512 bytes
      int blocks = random.nextInt(8) == 0 ? 64 : 1 + random.nextInt(3); // 64 of them fill the table
      filled = blocks * perBlock - random.nextInt(10);
    }
    return new CrashConfig(
        version3,
        1 << clusterBits,
        refcountBits,
        lazy,
        backed,
        caches,
        concurrent,
        failAt,
        filled,
        false);
  }

  /** The same, mostly with clusters of which parts are told apart. */
  static CrashConfig drawMore(SeededRandom random) {
    CrashConfig drawn = draw(random);
    if (random.nextInt(4) == 0) {
      return drawn;
    }
    return new CrashConfig(
        true,
        SMALLEST_EXTENDED_BYTES,
        drawn.refcountBits,
        drawn.lazyRefcounts,
        drawn.backed,
        drawn.smallCaches,
        drawn.concurrent,
        drawn.failAt,
        0,
        true);
  }

  /** The same with a file below. */
  CrashConfig onBacking() {
    return new CrashConfig(
        version3,
        clusterBytes,
        refcountBits,
        lazyRefcounts,
        true,
        smallCaches,
        concurrent,
        failAt,
        filled,
        extended);
  }

  /** What can be allocated by itself. */
  int unitBytes() {
    return extended ? clusterBytes / PARTS : clusterBytes;
  }

  /** Whether an operation has happened once it is over. */
  boolean isCertain() {
    return !concurrent && failAt == 0;
  }

  /** The disk: a part that operations use, and a part that is full. */
  long diskBytes() {
    return usedBytes() + (long) filled * clusterBytes;
  }

  /** The part of the disk that operations use. */
  long usedBytes() {
    return (long) clusterBytes * (clusterBytes > 4096 ? LARGE_DISK_CLUSTERS : DISK_CLUSTERS);
  }

  Qcow2Creator.Request request() {
    return new Qcow2Creator.Request(
        diskBytes(),
        version3,
        clusterBytes,
        refcountBits,
        lazyRefcounts,
        "zlib",
        PreallocationMode.OFF,
        backed ? ChainOperations.FIRST : null,
        backed ? "raw" : null,
        new Qcow2Creator.Extras(extended, null, null, false));
  }
}

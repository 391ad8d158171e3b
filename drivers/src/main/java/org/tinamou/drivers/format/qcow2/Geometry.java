package org.tinamou.drivers.format.qcow2;

/**
 * The sizes that follow from an image's header.
 *
 * @param clusterBits binary logarithm of the cluster size in bytes, 9 to 21
 * @param refcountOrder binary logarithm of the width of a refcount in bits, 0 to 6
 * @param extended whether second-level entries tell of each cluster's 32 parts
 */
record Geometry(int clusterBits, int refcountOrder, boolean extended) {
  static final int MIN_CLUSTER_BITS = 9;
  static final int MAX_CLUSTER_BITS = 21;
  static final int MAX_REFCOUNT_ORDER = 6;

  /** What an entry of a first-level table or of the table of counts takes. */
  static final int ENTRY_BYTES = Long.BYTES;

  private static final int PART_BITS = 5;
  private static final int SECTOR_BYTES = 512;

  int clusterBytes() {
    return 1 << clusterBits;
  }

  /** What a second-level entry takes. */
  int secondLevelEntryBytes() {
    return extended ? 2 * ENTRY_BYTES : ENTRY_BYTES;
  }

  /** What can be allocated by itself: a cluster, or a part of one. */
  int partBytes() {
    return extended ? 1 << clusterBits - PART_BITS : clusterBytes();
  }

  /** Which part of its cluster an offset is in. */
  int part(long offset) {
    return inCluster(offset) / partBytes();
  }

  long partStart(long offset) {
    return offset & -partBytes();
  }

  long partEnd(long offset) {
    return partStart(offset + partBytes() - 1);
  }

  long clusterEnd(long offset) {
    return clusterStart(offset + clusterBytes() - 1);
  }

  /** Entries of the table of counts in a cluster. */
  int countEntriesPerCluster() {
    return clusterBytes() / ENTRY_BYTES;
  }

  /** Entries in a second-level table, which fills a cluster. */
  int entriesPerTable() {
    return clusterBytes() / secondLevelEntryBytes();
  }

  /** The guest bytes that one second-level table describes. */
  long bytesPerTable() {
    return (long) entriesPerTable() << clusterBits;
  }

  int refcountsPerBlock() {
    return clusterBytes() * Byte.SIZE >> refcountOrder;
  }

  /** The largest refcount that fits, as an unsigned number. */
  long maxRefcount() {
    return refcountOrder == MAX_REFCOUNT_ORDER ? -1L : (1L << (1 << refcountOrder)) - 1;
  }

  /** A size rounded up to whole sectors. */
  static long inSectors(long sizeBytes) {
    return sizeBytes + SECTOR_BYTES - 1 & -SECTOR_BYTES;
  }

  long clusterStart(long offset) {
    return offset & -clusterBytes();
  }

  int inCluster(long offset) {
    return (int) (offset & (clusterBytes() - 1));
  }

  long clusterIndex(long offset) {
    return offset >>> clusterBits;
  }

  /** How many clusters so many bytes take. */
  long clustersOf(long bytes) {
    return (bytes >>> clusterBits) + (inCluster(bytes) == 0 ? 0 : 1);
  }

  /** The entries that a first-level table needs for a disk of that size. */
  long firstLevelEntries(long diskBytes) {
    return diskBytes / bytesPerTable() + (diskBytes % bytesPerTable() == 0 ? 0 : 1);
  }
}

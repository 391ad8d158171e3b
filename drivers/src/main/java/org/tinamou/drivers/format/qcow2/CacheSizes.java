package org.tinamou.drivers.format.qcow2;

/**
 * How much of an image's tables is kept in memory.
 *
 * @param sliceBytes the size of a slice of a second-level table
 * @param slices how many of them, at least 2
 * @param refcountBlocks how many blocks of counts, at least 2
 */
record CacheSizes(int sliceBytes, int slices, int refcountBlocks) {
  private static final long DEFAULT_MAX_BYTES = 32L << 20;
  private static final int MIN_SLICES = 2;
  private static final int MIN_REFCOUNT_BLOCKS = 4;
  private static final int DEFAULT_MAX_SLICE_BYTES = 4096;

  /** Enough for the whole disk, up to 32 MiB. */
  static CacheSizes defaults(Geometry geometry, long diskBytes) {
    int sliceBytes = Math.min(geometry.clusterBytes(), DEFAULT_MAX_SLICE_BYTES);
    long perSlice =
        (long) (sliceBytes / geometry.secondLevelEntryBytes()) << geometry.clusterBits();
    long whole = diskBytes / perSlice + 1;
    long most = DEFAULT_MAX_BYTES / sliceBytes;
    int slices = (int) Math.max(MIN_SLICES, Math.min(whole, most));
    return new CacheSizes(sliceBytes, slices, MIN_REFCOUNT_BLOCKS);
  }
}

package org.tinamou.drivers.filter.copybeforewrite;

import org.tinamou.drivers.copy.BlockCopy;

/**
 * What a copy-before-write filter does.
 *
 * @param breaksSnapshot whether a failed copy makes the snapshot useless, rather than the guest's
 *     write fail
 * @param timeoutNanos how long a guest's write waits at most; 0 for ever
 * @param minClusterBytes the smallest cluster, a power of two; larger if the target's are
 * @param compress whether the target compresses
 * @param discardSource whether what has been copied is dropped from the source
 * @param useCopyRange whether copies below the level of buffers are tried
 */
public record CopySettings(
    boolean breaksSnapshot,
    long timeoutNanos,
    long minClusterBytes,
    boolean compress,
    boolean discardSource,
    boolean useCopyRange) {
  /** What is done if nothing is said. */
  public static final CopySettings DEFAULT =
      new CopySettings(false, 0, BlockCopy.MIN_CLUSTER_BYTES, false, false, false);
}

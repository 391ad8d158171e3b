package org.tinamou.jobs.mirror;

import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.open.GenericOptions;

/**
 * How a mirror works.
 *
 * @param granularityBytes the smallest piece that is copied, or 0 for the target's cluster size
 * @param bufferBytes how much may be under way at once, or 0 for the usual
 * @param unmap whether zeroes may be stored on the target by giving space back
 * @param targetIsZero whether the target reads as zeroes now, so that zeroes need not be written
 * @param onSourceError what a failed read does
 * @param onTargetError what a failed write does
 * @param filterNodeName the name of the filter in front of the source, or null
 * @param replaces the node whose place the target takes, or null for the source
 */
public record MirrorSettings(
    MirrorSync sync,
    CopyMode copyMode,
    long granularityBytes,
    long bufferBytes,
    boolean unmap,
    boolean targetIsZero,
    ErrorPolicy onSourceError,
    ErrorPolicy onTargetError,
    @Nullable String filterNodeName,
    @Nullable String replaces) {
  private static final long MIN_GRANULARITY_BYTES = 512;
  private static final long MAX_GRANULARITY_BYTES = 64L << 20;

  /** All that is usual. */
  public static MirrorSettings of(MirrorSync sync) {
    return new MirrorSettings(
        sync,
        CopyMode.BACKGROUND,
        0,
        0,
        true,
        false,
        ErrorPolicy.REPORT,
        ErrorPolicy.REPORT,
        null,
        null);
  }

  public MirrorSettings withCopyMode(CopyMode mode) {
    return new MirrorSettings(
        sync,
        mode,
        granularityBytes,
        bufferBytes,
        unmap,
        targetIsZero,
        onSourceError,
        onTargetError,
        filterNodeName,
        replaces);
  }

  public MirrorSettings withGranularity(long bytes) {
    return new MirrorSettings(
        sync,
        copyMode,
        bytes,
        bufferBytes,
        unmap,
        targetIsZero,
        onSourceError,
        onTargetError,
        filterNodeName,
        replaces);
  }

  public MirrorSettings withBuffer(long bytes) {
    return new MirrorSettings(
        sync,
        copyMode,
        granularityBytes,
        bytes,
        unmap,
        targetIsZero,
        onSourceError,
        onTargetError,
        filterNodeName,
        replaces);
  }

  public MirrorSettings withErrorPolicies(ErrorPolicy onSource, ErrorPolicy onTarget) {
    return new MirrorSettings(
        sync,
        copyMode,
        granularityBytes,
        bufferBytes,
        unmap,
        targetIsZero,
        onSource,
        onTarget,
        filterNodeName,
        replaces);
  }

  public MirrorSettings withFilterNodeName(@Nullable String name) {
    return new MirrorSettings(
        sync,
        copyMode,
        granularityBytes,
        bufferBytes,
        unmap,
        targetIsZero,
        onSourceError,
        onTargetError,
        name,
        replaces);
  }

  /** Refuses what cannot be, in the reference's words. */
  void check() throws BlockException {
    if (filterNodeName != null) {
      GenericOptions.checkNodeName(filterNodeName);
    }
    if (granularityBytes != 0
        && (granularityBytes < MIN_GRANULARITY_BYTES || granularityBytes > MAX_GRANULARITY_BYTES)) {
      throw new BlockException(
          Errno.EINVAL, "Parameter 'granularity' expects a value in range [512B, 64MB]");
    }
    if (Long.bitCount(granularityBytes) > 1) {
      throw new BlockException(Errno.EINVAL, "Parameter 'granularity' expects a power of 2");
    }
    if (bufferBytes < 0) {
      throw new BlockException(Errno.EINVAL, "Invalid parameter 'buf-size'");
    }
  }
}

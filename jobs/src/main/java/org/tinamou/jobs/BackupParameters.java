package org.tinamou.jobs;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.copy.BlockCopy;

/**
 * What a backup is to do.
 *
 * @param source whose data are kept as they are when the job is created
 * @param target where they go
 * @param sync what is copied
 * @param bitmap the name of a bitmap of the source, or null
 * @param bitmapMode what becomes of the bitmap, or null
 * @param compress whether the target compresses
 * @param discardSource whether what has been copied is dropped from the source
 * @param filterNodeName the name of the filter above the source; null for a generated one
 * @param onSourceError what is done if the source fails
 * @param onTargetError what is done if the target fails
 * @param breaksSnapshot whether the job fails, and not the guest, if a guest's write cannot be
 *     preceded by a copy
 * @param useCopyRange whether copies below the level of buffers are tried
 * @param maxWorkers how many pieces are copied at a time
 * @param maxChunkBytes the longest piece; 0 for no limit
 * @param minClusterBytes the smallest piece; 0 for the usual one
 */
public record BackupParameters(
    BlockNode source,
    BlockNode target,
    Sync sync,
    @Nullable String bitmap,
    @Nullable BitmapMode bitmapMode,
    boolean compress,
    boolean discardSource,
    @Nullable String filterNodeName,
    ErrorPolicy onSourceError,
    ErrorPolicy onTargetError,
    boolean breaksSnapshot,
    boolean useCopyRange,
    long maxWorkers,
    long maxChunkBytes,
    long minClusterBytes) {
  /** What is copied. */
  public enum Sync {
    /** What the source itself has, and not those below it. */
    TOP,
    FULL,
    /** Only what guests write over. */
    NONE,
    /** What a bitmap has, which is clean afterwards. */
    INCREMENTAL,
    /** What a bitmap has. */
    BITMAP;

    public String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** When a bitmap forgets what has been copied. */
  public enum BitmapMode {
    ON_SUCCESS,
    NEVER,
    /** What has been copied, also if the job fails. */
    ALWAYS;

    public String wireName() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** A backup with the usual settings. */
  public static BackupParameters of(BlockNode source, BlockNode target, Sync sync) {
    return new BackupParameters(
        source,
        target,
        sync,
        null,
        null,
        false,
        false,
        null,
        ErrorPolicy.REPORT,
        ErrorPolicy.REPORT,
        false,
        false,
        64,
        0,
        0);
  }

  public BackupParameters withBitmap(@Nullable String name, @Nullable BitmapMode mode) {
    return new BackupParameters(
        source,
        target,
        sync,
        name,
        mode,
        compress,
        discardSource,
        filterNodeName,
        onSourceError,
        onTargetError,
        breaksSnapshot,
        useCopyRange,
        maxWorkers,
        maxChunkBytes,
        minClusterBytes);
  }

  public BackupParameters onErrors(ErrorPolicy ofSource, ErrorPolicy ofTarget, boolean breaks) {
    return new BackupParameters(
        source,
        target,
        sync,
        bitmap,
        bitmapMode,
        compress,
        discardSource,
        filterNodeName,
        ofSource,
        ofTarget,
        breaks,
        useCopyRange,
        maxWorkers,
        maxChunkBytes,
        minClusterBytes);
  }

  public BackupParameters copying(long workers, long chunkBytes, long clusterBytes, boolean range) {
    return new BackupParameters(
        source,
        target,
        sync,
        bitmap,
        bitmapMode,
        compress,
        discardSource,
        filterNodeName,
        onSourceError,
        onTargetError,
        breaksSnapshot,
        range,
        workers,
        chunkBytes,
        clusterBytes);
  }

  long clusterBytes() {
    return minClusterBytes == 0 ? BlockCopy.MIN_CLUSTER_BYTES : minClusterBytes;
  }

  private static BlockException refused(String message, Object... values) {
    return new BlockException(Errno.EINVAL, message.formatted(values));
  }

  /**
   * The bitmap, if what is said of it makes sense.
   *
   * @return null if none is named
   */
  @HomeThread
  @Nullable DirtyBitmap checkBitmap() throws BlockException {
    boolean needed = sync == Sync.INCREMENTAL || sync == Sync.BITMAP;
    if (bitmap == null) {
      if (needed) {
        throw refused("must provide a valid bitmap name for '%s' sync mode", sync.wireName());
      }
      if (bitmapMode != null) {
        throw refused("Cannot specify bitmap sync mode without a bitmap");
      }
      return null;
    }
    BitmapMode mode = bitmapMode;
    if (sync == Sync.INCREMENTAL && bitmapMode != null && bitmapMode != BitmapMode.ON_SUCCESS) {
      throw refused(
          "Bitmap sync mode must be '%s' when using sync mode '%s'",
          BitmapMode.ON_SUCCESS.wireName(), sync.wireName());
    }
    DirtyBitmap found = source.bitmaps().find(bitmap);
    if (found == null) {
      throw refused("Bitmap '%s' could not be found", bitmap);
    }
    if (mode == null && sync != Sync.INCREMENTAL) {
      throw refused("Bitmap sync mode must be given when providing a bitmap");
    }
    found.checkUsable(mode == BitmapMode.NEVER ? DirtyBitmap.Use.READ : DirtyBitmap.Use.MODIFY);
    if (sync == Sync.NONE) {
      throw refused("sync mode '%s' does not produce meaningful bitmap outputs", sync.wireName());
    }
    if (!needed && mode == BitmapMode.NEVER) {
      throw refused(
          "Bitmap sync mode '%s' has no meaningful effect when combined with sync mode '%s'",
          BitmapMode.NEVER.wireName(), sync.wireName());
    }
    return found;
  }

  /** Whether a bitmap that was found is still there. */
  @HomeThread
  void checkStill(DirtyBitmap found) throws BlockException {
    if (checkBitmap() != found) {
      throw refused("Bitmap '%s' could not be found", String.valueOf(found.name()));
    }
  }

  /** Whether the two disks and the numbers go together. */
  @HomeThread
  void check() throws BlockException {
    if (source == target) {
      throw refused("Source and target cannot be the same");
    }
    int most = Integer.MAX_VALUE;
    if (compress
        && !(target.driver() instanceof org.tinamou.block.BlockDriver.Writable driver
            && (driver.writeFlags() & RequestFlags.COMPRESSED) != 0)) {
      throw refused("Compression is not supported for this drive ");
    }
    if (maxWorkers < 1 || maxWorkers > most) {
      throw refused("max-workers must be between 1 and %d", most);
    }
    if (maxChunkBytes < 0) {
      throw refused("max-chunk must be zero (which means no limit) or positive");
    }
    if (Long.bitCount(clusterBytes()) != 1) {
      throw refused("min-cluster-size needs to be a power of 2");
    }
    if (source.lengthBytes() != target.lengthBytes()) {
      throw refused("Source and target image have different sizes");
    }
  }
}

package org.tinamou.block.bitmap;

import org.tinamou.base.Check;

/**
 * The contents a bitmap had before an operation, so that the operation can be undone; good for one
 * {@link DirtyBitmap#restore}.
 */
public final class BitmapBackup {
  private final DirtyBitmap bitmap;
  private final long sizeBytes;
  private final StripedBits bits;
  private boolean used;

  BitmapBackup(DirtyBitmap bitmap, long sizeBytes, StripedBits bits) {
    this.bitmap = bitmap;
    this.sizeBytes = sizeBytes;
    this.bits = bits;
  }

  /** The bits, if this is a backup of that bitmap at that size and was not used before. */
  StripedBits takeFor(DirtyBitmap owner, long ownerSizeBytes) {
    Check.state(
        owner == bitmap && ownerSizeBytes == sizeBytes && !used, "not a fresh backup of %s", owner);
    used = true;
    return bits;
  }
}

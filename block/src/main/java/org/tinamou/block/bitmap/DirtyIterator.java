package org.tinamou.block.bitmap;

import org.tinamou.base.Check;

/**
 * Walks over the dirty granules of a bitmap in ascending order while others mark and reset:
 * granules that become dirty ahead of the position are met, those that become dirty behind it are
 * not, and those reset ahead of it are left out. Resizing is allowed too. Belongs to one thread or
 * coroutine at a time.
 */
public final class DirtyIterator {
  private final DirtyBitmap bitmap;
  private long positionBytes;

  DirtyIterator(DirtyBitmap bitmap) {
    this.bitmap = bitmap;
  }

  /**
   * The start of the next dirty granule, or -1 when there is none up to the end; more may come when
   * the bitmap changes, or after {@link #seek}.
   */
  public long next() {
    long found = bitmap.nextDirty(positionBytes, Long.MAX_VALUE - positionBytes);
    if (found >= 0) {
      long start = found & -bitmap.granularityBytes();
      long end = start + bitmap.granularityBytes();
      positionBytes = end < 0 ? Long.MAX_VALUE : end;
      return start;
    }
    return -1;
  }

  /** Continues with the granule that contains {@code offsetBytes}. */
  public void seek(long offsetBytes) {
    Check.argument(offsetBytes >= 0, "negative offset: %s", offsetBytes);
    positionBytes = offsetBytes & -bitmap.granularityBytes();
  }

  /** Where the search goes on. */
  public long positionBytes() {
    return positionBytes;
  }
}

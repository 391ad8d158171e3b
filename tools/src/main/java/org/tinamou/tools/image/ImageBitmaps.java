package org.tinamou.tools.image;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.PersistentBitmaps;

/** The dirty bitmaps of an image's node. Main loop. */
public final class ImageBitmaps {
  private final BlockNode node;
  private final long clusterBytes;

  ImageBitmaps(BlockNode node, long clusterBytes) {
    this.node = node;
    this.clusterBytes = clusterBytes;
  }

  /** Whether the image's format keeps them. */
  public boolean areKeptByFormat() {
    return node.driverOrNull() instanceof PersistentBitmaps;
  }

  /** Whether this image does. */
  public boolean areKept() {
    return node.driverOrNull() instanceof PersistentBitmaps keeper && keeper.keepsBitmaps();
  }

  public List<DirtyBitmap> all() {
    return node.bitmaps().all();
  }

  /**
   * One of them.
   *
   * @throws BlockException if there is none of that name
   */
  public DirtyBitmap get(String name) throws BlockException {
    return node.bitmaps().get(name);
  }

  /** The first one of that name in the image or below it, or null. */
  public @Nullable DirtyBitmap findInChain(String name) {
    BlockNode at = node;
    while (true) {
      DirtyBitmap found = at.bitmaps().find(name);
      if (found != null) {
        return found;
      }
      Edge below = Edge.below(at);
      if (below == null) {
        return null;
      }
      at = below.child();
    }
  }

  public void remove(DirtyBitmap bitmap) {
    node.bitmaps().remove(bitmap);
  }

  /**
   * Adds one that the image is to keep.
   *
   * @param granularityBytes 0 for the usual one
   */
  public DirtyBitmap add(String name, long granularityBytes) throws BlockException {
    long granularity =
        granularityBytes == 0
            ? DirtyBitmap.defaultGranularityBytes(clusterBytes)
            : granularityBytes;
    if (node.bitmaps().find(name) == null) {
      new DirtyBitmap(null, 0, granularity); // refuses one that is not allowed
    }
    if (node.driverOrNull() instanceof PersistentBitmaps keeper && !name.isEmpty()) {
      if (node.bitmaps().find(name) != null) {
        throw new BlockException(Errno.EEXIST, "Bitmap already exists: " + name);
      }
      keeper.checkStorable(name, granularity);
    }
    DirtyBitmap bitmap = node.bitmaps().create(name, node.lengthBytes(), granularity);
    bitmap.setPersistent(true);
    return bitmap;
  }
}

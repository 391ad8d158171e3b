package org.tinamou.block.bitmap;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * The dirty bitmaps of one node, newest first.
 *
 * <p>Thread rule: {@link #mark} on any thread; everything else on the main loop. A write that is
 * marked while a bitmap is frozen, abdicates or is reclaimed is in the bitmap or in its successor
 * afterwards, whichever then records.
 */
public final class BitmapList {
  private static final int MAX_NAME_BYTES = 1023;

  /** Replaced as a whole; read by writers without a lock. */
  private volatile DirtyBitmap[] bitmaps = {};

  /** What else is told of, newest first. */
  private final List<Supplier<BitmapInfo>> shown = new ArrayList<>(0);

  /** Marks a written range in every bitmap that records. */
  public void mark(long offsetBytes, long lengthBytes) {
    while (true) {
      DirtyBitmap[] seen = bitmaps;
      // Newest first: a successor before the bitmap that may be taking its contents back.
      for (DirtyBitmap bitmap : seen) {
        if (bitmap.isEnabled()) {
          bitmap.mark(offsetBytes, lengthBytes);
        }
      }
      // A successor that came meanwhile may have to record this write; marking twice is harmless.
      if (seen == bitmaps) {
        return;
      }
    }
  }

  /** Whether no bitmap would record a write. */
  public boolean isIdle() {
    for (DirtyBitmap bitmap : bitmaps) {
      if (bitmap.isEnabled()) {
        return false;
      }
    }
    return true;
  }

  /** The bitmap of a name, or null. */
  public @Nullable DirtyBitmap find(String name) {
    for (DirtyBitmap bitmap : bitmaps) {
      if (name.equals(bitmap.name())) {
        return bitmap;
      }
    }
    return null;
  }

  /**
   * The bitmap of a name.
   *
   * @throws BlockException if there is none
   */
  public DirtyBitmap get(String name) throws BlockException {
    DirtyBitmap found = find(name);
    if (found == null) {
      throw new BlockException(Errno.ENOENT, "Dirty bitmap '" + name + "' not found");
    }
    return found;
  }

  /**
   * Adds a clean, enabled bitmap.
   *
   * @param name null for a bitmap that nobody can refer to
   * @param sizeBytes the node's size
   * @param granularityBytes a power of two from 512 to 2 GiB
   * @throws BlockException if the granularity or the name is not allowed or the name is taken
   */
  public DirtyBitmap create(@Nullable String name, long sizeBytes, long granularityBytes)
      throws BlockException {
    if (name != null && name.isEmpty()) {
      throw new BlockException(Errno.EINVAL, "Bitmap name cannot be empty");
    }
    DirtyBitmap bitmap = new DirtyBitmap(name, sizeBytes, granularityBytes);
    if (name != null && find(name) != null) {
      throw new BlockException(Errno.EEXIST, "Bitmap already exists: " + name);
    }
    if (name != null && name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES) {
      throw new BlockException(Errno.EINVAL, "Bitmap name too long: " + name);
    }
    addFirst(bitmap);
    return bitmap;
  }

  /** Removes a bitmap of this list that no operation uses. */
  public void remove(DirtyBitmap bitmap) {
    Check.state(!bitmap.isBusy() && bitmap.successor() == null, "%s is in use", bitmap);
    drop(bitmap);
  }

  private void addFirst(DirtyBitmap bitmap) {
    List<DirtyBitmap> next = new ArrayList<>(List.of(bitmap));
    next.addAll(Arrays.asList(bitmaps));
    bitmaps = next.toArray(DirtyBitmap[]::new);
  }

  private void drop(DirtyBitmap bitmap) {
    List<DirtyBitmap> next = new ArrayList<>(Arrays.asList(bitmaps));
    Check.state(next.remove(bitmap), "%s does not belong to this node", bitmap);
    bitmaps = next.toArray(DirtyBitmap[]::new);
  }

  /**
   * Freezes a bitmap for an operation: it is busy, its contents stand still, and from now on its
   * unnamed successor records in its place.
   *
   * @throws BlockException if the bitmap is busy, read-only or inconsistent
   */
  public DirtyBitmap createSuccessor(DirtyBitmap bitmap) throws BlockException {
    bitmap.checkUsable(DirtyBitmap.Use.MODIFY);
    DirtyBitmap successor = bitmap.newSuccessor();
    addFirst(successor);
    bitmap.freeze();
    return successor;
  }

  /**
   * Ends an operation that succeeded: the contents are forgotten, and the successor goes on under
   * the bitmap's name, which it returns.
   */
  public DirtyBitmap abdicate(DirtyBitmap bitmap) {
    DirtyBitmap successor = bitmap.abdicate();
    drop(bitmap);
    return successor;
  }

  /** Ends an operation that failed: the bitmap takes back what its successor recorded. */
  public void reclaim(DirtyBitmap bitmap) {
    drop(bitmap.reclaim());
  }

  /** Follows the node to a new size, with every bitmap. */
  public void resize(long newSizeBytes) {
    for (DirtyBitmap bitmap : bitmaps) {
      bitmap.resize(newSizeBytes);
    }
  }

  /** All bitmaps, newest first, with those that have no name. */
  public List<DirtyBitmap> all() {
    return List.of(bitmaps);
  }

  /**
   * Has queries report a bitmap that an operation keeps for itself and sees to alone.
   *
   * @param recording whether writes are recorded in it
   * @return ends it
   */
  public Runnable show(DirtyBitmap bitmap, boolean recording) {
    Supplier<BitmapInfo> told = () -> bitmap.info().withRecording(recording);
    shown.addFirst(told);
    return () -> shown.remove(told);
  }

  /** What queries report. */
  public List<BitmapInfo> info() {
    return Stream.concat(shown.stream().map(Supplier::get), all().stream().map(DirtyBitmap::info))
        .toList();
  }
}

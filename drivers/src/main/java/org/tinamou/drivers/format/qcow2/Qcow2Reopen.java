package org.tinamou.drivers.format.qcow2;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.ReopenChange;

/**
 * An open image gets another image below, or may be written to from now on, or no longer. The node
 * is drained all through.
 */
final class Qcow2Reopen implements BlockDriver.PreparedReopen {
  private final BlockNode node;
  private final Qcow2Image image;
  private final BitmapStore bitmaps;
  private final CacheCleaner cleaner;
  private boolean becomesReadOnly;
  private boolean becomesWritable;
  private @Nullable RuntimeOptions next;

  Qcow2Reopen(BlockNode node, Qcow2Image image, BitmapStore bitmaps, CacheCleaner cleaner) {
    this.node = node;
    this.image = image;
    this.bitmaps = bitmaps;
    this.cleaner = cleaner;
  }

  /** Does what can fail: the file can still be used as before. */
  @InCoroutine
  Qcow2Reopen prepare(ReopenChange change) throws BlockException {
    if (change.driverOptions() instanceof RuntimeOptions options
        && !image.damage().isFatal()
        && !image.isRetired()) {
      prepareOptions(options);
    }
    boolean writable = !change.options().readOnly();
    becomesReadOnly = !writable && image.isWritable();
    becomesWritable = writable && !image.isWritable();
    if (becomesWritable) {
      if ((image.incompatible() & (Features.INCOMPATIBLE_DIRTY | Features.INCOMPATIBLE_CORRUPT))
          != 0) {
        throw new BlockException(
            Errno.EACCES, "qcow2: Image is corrupt; cannot be opened read/write");
      }
      image.setWritable(true);
    }
    if (becomesReadOnly && !node.isInactive()) {
      finish();
    }
    image.wantWrites(writable);
    return this;
  }

  /** What the change would make forget is written down. */
  private void prepareOptions(RuntimeOptions options) throws BlockException {
    RuntimeOptions before = image.options();
    image.metadata().lock();
    try {
      if (before.lazyRefcounts() && !options.lazyRefcounts() && image.isWritable()) {
        image.finish();
      } else if (!before.caches().equals(options.caches())) {
        image.writeBack();
      }
    } finally {
      image.metadata().unlock();
    }
    next = options;
  }

  private void become(RuntimeOptions options) {
    image.metadata().lock();
    try {
      image.become(options);
    } catch (BlockException e) {
      image.guard().parts().lacks(e);
    } finally {
      image.metadata().unlock();
    }
  }

  /** Nothing in the image says that it is in use any more. */
  private void finish() throws BlockException {
    image.metadata().lock();
    try {
      if (bitmaps.hasAny() && !image.damage().isFatal()) {
        bitmaps.store();
      }
      image.finish();
    } finally {
      image.metadata().unlock();
    }
  }

  @Override
  public void commit() {
    image.showBelow(node.child("backing"));
    if (next != null) {
      long before = image.options().cleanIntervalSeconds();
      become(next);
      if (next.cleanIntervalSeconds() != before) {
        cleaner.restart();
      }
    }
    if (becomesReadOnly) {
      bitmaps.setReadOnly(true);
      setWritable(false);
    } else if (becomesWritable) {
      bitmaps.setReadOnly(false);
      markUsed();
    }
  }

  @Override
  public void abort() {
    image.wantWrites(image.isWritable() && !becomesWritable);
    if (becomesReadOnly) {
      markUsed();
    } else if (becomesWritable) {
      setWritable(false);
    }
  }

  private void setWritable(boolean writable) {
    try {
      image.setWritable(writable);
    } catch (BlockException e) {
      throw new IllegalStateException("nothing is read for it", e);
    }
  }

  private void markUsed() {
    image.metadata().lock();
    try {
      bitmaps.markUsed();
    } catch (BlockException e) {
      // The image goes on saying that they are up to date, which they will be once they are stored.
      node.graph().diagnose("qcow2: bitmaps of '" + node.name() + "': " + e.getMessage());
    } finally {
      image.metadata().unlock();
    }
  }
}

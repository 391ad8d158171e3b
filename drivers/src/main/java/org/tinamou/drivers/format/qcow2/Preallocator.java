package org.tinamou.drivers.format.qcow2;

import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.ZeroMemory;

/** Gives guest ranges clusters before anything is written to them. */
final class Preallocator {
  private static final int ZERO_PIECE_BYTES = 1 << 20;

  private final Qcow2Image image;
  private final Geometry geometry;

  Preallocator(Qcow2Image image) {
    this.image = image;
    this.geometry = image.geometry();
  }

  /**
   * Allocates what has no place in a range, which reads as zeroes.
   *
   * @param guestStart rounded down to a cluster
   */
  @InCoroutine
  void preallocate(long guestStart, long guestEnd, PreallocationMode mode) throws BlockException {
    preallocate(guestStart, guestEnd, mode, false);
  }

  /** The same of a range that something below would show through. */
  @InCoroutine
  void hide(long guestStart, long guestEnd, PreallocationMode mode) throws BlockException {
    preallocate(guestStart, guestEnd, mode, true);
  }

  private void preallocate(long guestStart, long guestEnd, PreallocationMode mode, boolean hiding)
      throws BlockException {
    for (long guest = geometry.clusterStart(guestStart); guest < guestEnd; ) {
      image.metadata().lock();
      ClusterAllocator.Run run;
      int epoch;
      try {
        image.beforeLazyChange();
        run = allocate(guest, guestEnd, mode, hiding);
        epoch = image.uses().enter();
      } finally {
        image.metadata().unlock();
      }
      long bytes = Math.max(1, run.clusters()) << geometry.clusterBits();
      try {
        if (run.clusters() > 0 && run.fresh() && mode == PreallocationMode.FULL) {
          zero(run.firstCluster() << geometry.clusterBits(), bytes);
        }
      } finally {
        image.uses().leave(epoch);
      }
      guest += bytes;
    }
  }

  private ClusterAllocator.Run allocate(
      long guest, long guestEnd, PreallocationMode mode, boolean hiding) throws BlockException {
    TableCache.Slice slice = image.map().sliceForChange(guest);
    if (!isUnallocated(slice, guest)) {
      return new ClusterAllocator.Run(0, 0, true);
    }
    long end = Math.min(guestEnd, guest + image.map().bytesLeftInTable(guest));
    long most = Math.min(image.map().entriesLeft(guest), geometry.clustersOf(end - guest));
    long wanted = 1;
    while (wanted < most && isUnallocated(slice, guest + (wanted << geometry.clusterBits()))) {
      wanted++;
    }
    ClusterAllocator.Run run =
        image.isExternal()
            ? new ClusterAllocator.Run(geometry.clusterIndex(guest), wanted, true)
            : image.allocator().allocate(wanted, geometry.clustersOf(end - guest));
    if (!run.fresh()) {
      // Nobody may find what was there, whenever the tables reach the disk.
      zero(run.firstCluster() << geometry.clusterBits(), run.clusters() << geometry.clusterBits());
    }
    extendFile(run.firstCluster() + run.clusters() << geometry.clusterBits(), mode);
    image.linked();
    // In a file of its own there may be something else from before.
    boolean zero = hiding && (mode == PreallocationMode.METADATA || image.isExternal());
    for (long i = 0; i < run.clusters(); i++) {
      long host = run.firstCluster() + i << geometry.clusterBits();
      long at = guest + (i << geometry.clusterBits());
      long flags = Entry.COPIED | (zero && !geometry.extended() ? Entry.ZERO : 0);
      image.map().entry(slice, at, host | flags);
      if (hiding) {
        image.map().parts(slice, at, zero ? Parts.ALL_ZERO : Parts.allocate(0, 0, Parts.COUNT));
      }
    }
    return run;
  }

  /** Where parts are told apart, none of them becomes allocated by having its place. */
  private boolean isUnallocated(TableCache.Slice slice, long guest) {
    return image.map().kind(image.map().entry(slice, guest)) == Entry.Kind.UNALLOCATED
        && image.map().parts(slice, guest) == 0;
  }

  private void zero(long host, long bytes) throws BlockException {
    for (long done = 0; done < bytes; done += ZERO_PIECE_BYTES) {
      long length = Math.min(ZERO_PIECE_BYTES, bytes - done);
      IoVector zeroes = IoVector.of(ZeroMemory.ofSize(length));
      image.data().write(host + done, zeroes, RequestFlags.NONE);
    }
  }

  /**
   * The file reaches to the end of the last cluster, with or without space behind it, before a
   * table leads there: what is to be written anyway needs none.
   */
  private void extendFile(long hostEnd, PreallocationMode mode) throws BlockException {
    Edge file = image.data();
    if (file.lengthBytes() < hostEnd) {
      boolean reserves = mode == PreallocationMode.FALLOC;
      file.truncate(hostEnd, false, reserves ? mode : PreallocationMode.OFF);
    }
  }
}

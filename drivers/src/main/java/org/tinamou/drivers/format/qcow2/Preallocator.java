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
   * Allocates what is unallocated in a range, which reads as zeroes.
   *
   * @param guestStart rounded down to a cluster
   */
  @InCoroutine
  void preallocate(long guestStart, long guestEnd, PreallocationMode mode) throws BlockException {
    long hostEnd = 0;
    for (long guest = geometry.clusterStart(guestStart); guest < guestEnd; ) {
      image.metadata().lock();
      ClusterAllocator.Run run;
      try {
        image.beforeLazyChange();
        run = allocate(guest, guestEnd);
      } finally {
        image.metadata().unlock();
      }
      long bytes = Math.max(1, run.clusters()) << geometry.clusterBits();
      if (run.clusters() > 0) {
        long host = run.firstCluster() << geometry.clusterBits();
        if (!run.fresh() || mode == PreallocationMode.FULL) {
          zero(host, bytes);
        }
        hostEnd = Math.max(hostEnd, host + bytes);
      }
      guest += bytes;
    }
    extendFile(hostEnd, mode);
  }

  private ClusterAllocator.Run allocate(long guest, long guestEnd) throws BlockException {
    TableCache.Slice slice = image.map().sliceForChange(guest);
    if (Entry.kind(image.map().entry(slice, guest)) != Entry.Kind.UNALLOCATED) {
      return new ClusterAllocator.Run(0, 0, true);
    }
    long most = Math.min(image.map().entriesLeft(guest), geometry.clustersOf(guestEnd - guest));
    long wanted = 1;
    while (wanted < most
        && Entry.kind(image.map().entry(slice, guest + (wanted << geometry.clusterBits())))
            == Entry.Kind.UNALLOCATED) {
      wanted++;
    }
    ClusterAllocator.Run run = image.allocator().allocate(wanted);
    image.linked();
    for (long i = 0; i < run.clusters(); i++) {
      long host = run.firstCluster() + i << geometry.clusterBits();
      image.map().entry(slice, guest + (i << geometry.clusterBits()), host | Entry.COPIED);
    }
    return run;
  }

  private void zero(long host, long bytes) throws BlockException {
    for (long done = 0; done < bytes; done += ZERO_PIECE_BYTES) {
      long length = Math.min(ZERO_PIECE_BYTES, bytes - done);
      IoVector zeroes = IoVector.of(ZeroMemory.ofSize(length));
      image.file().write(host + done, zeroes, RequestFlags.NONE);
    }
  }

  /** The file reaches to the end of the last cluster, with or without space behind it. */
  private void extendFile(long hostEnd, PreallocationMode mode) throws BlockException {
    Edge file = image.file();
    if (file.lengthBytes() < hostEnd) {
      PreallocationMode below = mode == PreallocationMode.METADATA ? PreallocationMode.OFF : mode;
      file.truncate(hostEnd, false, below);
    }
  }
}

package org.tinamou.drivers.format.qcow2;

import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;

/** Has guest ranges read as zeroes, or as what is below, by changing the tables alone. */
final class ClearPath {
  /** Waiting for less is cheaper than bringing the tables to the disk. */
  private static final long REUSED_BYTES = 8 << 20;

  private final Qcow2Image image;
  private final Geometry geometry;
  private final WritePath writes;

  ClearPath(Qcow2Image image, WritePath writes) {
    this.image = image;
    this.geometry = image.geometry();
    this.writes = writes;
  }

  /** What becomes of the clusters of a range. */
  enum Clearing {
    /** They read as zeroes and keep their space. */
    ZERO,
    /** They read as zeroes and give their space back. */
    ZERO_AND_FREE,
    /** As {@link #ZERO_AND_FREE}, but for what has no space and reads so anyway. */
    DISCARD,
    /** They read as what is below and give their space back. */
    FREE
  }

  /** Clears whole clusters. */
  @InCoroutine
  void clear(long guestStart, long guestEnd, Clearing clearing) throws BlockException {
    for (long guest = guestStart; guest < guestEnd; ) {
      image.metadata().lock();
      try {
        writes.awaitFilled(guest, Math.min(guestEnd, guest + sliceBytesLeft(guest)));
        image.beforeLazyChange();
        image.limitReleased();
        guest += clearSlice(guest, guestEnd, clearing);
      } finally {
        image.metadata().unlock();
      }
    }
    reuse();
  }

  /** Clears the whole image, so that it shows what is below. */
  @InCoroutine
  void empty(long guestEnd) throws BlockException {
    image.file().announce(DebugEvent.EMPTY_IMAGE_PREPARE);
    clear(0, guestEnd, Clearing.FREE);
  }

  /** What is worth it can be used again at once. */
  private void reuse() throws BlockException {
    image.metadata().lock();
    try {
      if ((long) image.allocator().releasedCount() << geometry.clusterBits() >= REUSED_BYTES) {
        image.writeBack();
      }
    } finally {
      image.metadata().unlock();
    }
  }

  private long sliceBytesLeft(long guest) {
    return (long) image.map().entriesLeft(guest) << geometry.clusterBits();
  }

  /** Clears one cluster unless there is data in it by now; then false. */
  @InCoroutine
  boolean clearIfEmpty(long guestStart, long guestEnd, Clearing clearing) throws BlockException {
    image.metadata().lock();
    try {
      writes.awaitFilled(guestStart, guestEnd);
      switch (image.map().kind(image.map().entry(guestStart))) {
        case NORMAL, COMPRESSED -> {
          return false;
        }
        default -> {
          image.beforeLazyChange();
          image.limitReleased();
          clearSlice(guestStart, guestEnd, clearing);
          return true;
        }
      }
    } finally {
      image.metadata().unlock();
    }
  }

  /**
   * Has whole parts of one cluster read as zeroes; false if that cannot be told apart from the
   * cluster's other parts.
   */
  @InCoroutine
  boolean zeroParts(long guestStart, long guestEnd) throws BlockException {
    image.metadata().lock();
    try {
      writes.awaitFilled(guestStart, guestEnd);
      image.beforeLazyChange();
      image.limitReleased();
      TableCache.Slice slice = image.map().sliceForChange(guestStart);
      long cluster = geometry.clusterStart(guestStart);
      if (image.map().kind(image.map().entry(slice, guestStart)) == Entry.Kind.COMPRESSED) {
        return false;
      }
      int from = geometry.part(guestStart);
      int to = (int) ((geometry.partEnd(guestEnd) - cluster) / geometry.partBytes());
      image.map().parts(slice, cluster, Parts.zero(image.map().parts(slice, cluster), from, to));
      return true;
    } finally {
      image.metadata().unlock();
    }
  }

  private long clearSlice(long guest, long guestEnd, Clearing clearing) throws BlockException {
    boolean unallocated = image.map().sliceOrNull(guest) == null;
    boolean nothingToDo =
        clearing == Clearing.FREE || (clearing == Clearing.DISCARD && image.backing() == null);
    if (unallocated && nothingToDo) {
      return Math.min(guestEnd - guest, image.map().bytesLeftInTable(guest));
    }
    long bytes = Math.min(guestEnd - guest, sliceBytesLeft(guest));
    TableCache.Slice slice = image.map().sliceForChange(guest);
    for (long at = guest; at < guest + bytes; at += geometry.clusterBytes()) {
      long before = image.map().entry(slice, at);
      long parts = image.map().parts(slice, at);
      long after = cleared(before, clearing);
      if (after != before) {
        image.map().entry(slice, at, after);
        if (geometry.extended() || image.map().kind(after) != Entry.Kind.ZERO_ALLOCATED) {
          writes.release(before, Freed.BY_REQUEST);
        } else if (clearing != Clearing.ZERO && !image.isExternal()) {
          image.allocator().empty(geometry.clusterIndex(Entry.offset(after)));
        }
      }
      clearParts(slice, at, parts, clearing);
    }
    return bytes;
  }

  private void clearParts(TableCache.Slice slice, long guest, long before, Clearing clearing) {
    if (!geometry.extended()) {
      return;
    }
    boolean untouched = clearing == Clearing.DISCARD && image.backing() == null && before == 0;
    long after = clearing == Clearing.FREE || untouched ? 0 : Parts.ALL_ZERO;
    if (after != before) {
      image.map().parts(slice, guest, after);
    }
  }

  private long cleared(long entry, Clearing clearing) {
    if (clearing == Clearing.FREE) {
      return 0;
    }
    Entry.Kind kind = image.map().kind(entry & ~Entry.ZERO);
    boolean keeps =
        clearing == Clearing.ZERO || (image.options().keepsDiscarded() && Entry.isCopied(entry));
    if (keeps && kind == Entry.Kind.NORMAL) {
      return geometry.extended() ? entry : entry | Entry.ZERO;
    }
    boolean stays =
        clearing == Clearing.DISCARD
            && image.backing() == null
            && image.map().kind(entry) == Entry.Kind.UNALLOCATED;
    return stays ? entry : geometry.extended() ? 0 : Entry.ZERO;
  }
}

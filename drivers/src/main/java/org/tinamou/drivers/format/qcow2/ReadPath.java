package org.tinamou.drivers.format.qcow2;

import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.CopyRange;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.block.RequestFlags;

/** Reads guest ranges: from clusters, from the backing file, or zeroes. */
final class ReadPath {
  /**
   * What a guest range begins with.
   *
   * @param lengthBytes how far it is the same, and in one piece of the file if that matters
   * @param host where it is in the file; for compressed data, the entry
   */
  record Run(Entry.Kind kind, long lengthBytes, long host) {}

  private static final long[] NO_ROW = new long[0];

  private final Qcow2Image image;
  private final PackedReads packed;

  ReadPath(Qcow2Image image, PackedReads packed) {
    this.image = image;
    this.packed = packed;
  }

  /** What a guest range begins with. The caller holds the metadata lock. */
  Run find(long guest, long length) throws BlockException {
    Geometry geometry = image.geometry();
    TableCache.Slice slice = image.map().sliceOrNull(guest);
    if (slice == null) {
      long rest = Math.min(length, image.map().bytesLeftInTable(guest));
      return new Run(Entry.Kind.UNALLOCATED, rest, -1);
    }
    long entry = image.map().entry(slice, guest);
    Entry.Kind kind = image.map().partKind(slice, guest);
    int inCluster = geometry.inCluster(guest);
    long most = ((long) image.map().entriesLeft(guest) << geometry.clusterBits()) - inCluster;
    long wanted = Math.min(length, most);
    if (kind == Entry.Kind.COMPRESSED) {
      return new Run(kind, Math.min(wanted, geometry.clusterBytes() - inCluster), entry);
    }
    checkAligned(Entry.offset(entry), guest);
    boolean reserved = kind == Entry.Kind.UNALLOCATED && hasCluster(entry);
    long host = kind == Entry.Kind.UNALLOCATED && !reserved ? -1 : Entry.offset(entry) + inCluster;
    long run = Math.min(wanted, geometry.partStart(guest) + geometry.partBytes() - guest);
    while (run < wanted) {
      long at = guest + run;
      boolean same = image.map().partKind(slice, at) == kind;
      long following = image.map().entry(slice, at);
      if (kind == Entry.Kind.NORMAL || kind == Entry.Kind.ZERO_ALLOCATED || reserved) {
        same &= Entry.offset(following) + geometry.inCluster(at) == host + run;
      } else if (kind == Entry.Kind.UNALLOCATED) {
        same &= !hasCluster(following);
      }
      if (!same) {
        break;
      }
      run = Math.min(wanted, run + geometry.partBytes());
    }
    return new Run(kind, run, host);
  }

  private boolean hasCluster(long entry) {
    return image.map().kind(entry) == Entry.Kind.NORMAL;
  }

  private void checkAligned(long host, long guest) throws BlockException {
    if (image.geometry().inCluster(host) != 0) {
      throw image
          .damage()
          .found(
              "Cluster allocation offset %s unaligned (%s)"
                  .formatted(Hex.of(host), image.map().place(guest)));
    }
  }

  /** Fills a buffer. */
  @InCoroutine
  void read(long guest, IoVector buffer, int flags) throws BlockException {
    for (long done = 0; done < buffer.sizeBytes(); ) {
      done += readRun(guest + done, buffer.slice(done), flags);
    }
  }

  /** Reads what lies in one piece and returns its length. */
  private long readRun(long guest, IoVector buffer, int flags) throws BlockException {
    image.metadata().lock();
    Run run;
    long[] row;
    int epoch;
    try {
      run = find(guest, buffer.sizeBytes());
      row = run.kind() == Entry.Kind.COMPRESSED ? packed.row(guest, buffer) : NO_ROW;
      epoch = image.uses().enter();
    } finally {
      image.metadata().unlock();
    }
    try {
      if (row.length > 0) {
        long bytes = (long) row.length << image.geometry().clusterBits();
        packed.read(row, buffer.segments().getFirst().asSlice(0, bytes));
        return bytes;
      }
      IoVector part = buffer.slice(0, run.lengthBytes());
      switch (run.kind()) {
        case NORMAL -> {
          image.data().announce(DebugEvent.READ_AIO);
          image.data().read(run.host(), part, flags);
          Encryption encryption = image.encryption();
          if (encryption != null) {
            encryption.decrypt(part, guest, run.host());
          }
        }
        case COMPRESSED -> packed.read(guest, run.host(), part);
        case ZERO_PLAIN, ZERO_ALLOCATED -> part.fill((byte) 0);
        case UNALLOCATED -> readBacking(guest, part, flags);
      }
    } finally {
      image.uses().leave(epoch);
    }
    return run.lengthBytes();
  }

  /**
   * Has the host copy a range, part by part.
   *
   * @return false if that is not possible; some of the target may have been written
   */
  @InCoroutine
  boolean copy(long guest, long length, CopyRange copy) throws BlockException {
    if (image.encryption() != null) {
      return false;
    }
    for (long done = 0; done < length; ) {
      Run run;
      int epoch;
      image.metadata().lock();
      try {
        run = find(guest + done, length - done);
        epoch = image.uses().enter();
      } finally {
        image.metadata().unlock();
      }
      try {
        if (!copyRun(guest + done, run, copy.part(done))) {
          return false;
        }
      } finally {
        image.uses().leave(epoch);
      }
      done += run.lengthBytes();
    }
    return true;
  }

  private boolean copyRun(long guest, Run run, CopyRange copy) throws BlockException {
    return switch (run.kind()) {
      case NORMAL -> copy.from(image.data(), run.host(), run.lengthBytes());
      case COMPRESSED -> false;
      case ZERO_PLAIN, ZERO_ALLOCATED -> copy.zeroes(run.lengthBytes());
      case UNALLOCATED -> copyBacking(guest, run.lengthBytes(), copy);
    };
  }

  private boolean copyBacking(long guest, long length, CopyRange copy) throws BlockException {
    Edge backing = image.backing();
    long below = backing == null ? 0 : Math.clamp(backing.lengthBytes() - guest, 0, length);
    return (backing == null || below == 0 || copy.part(0).from(backing, guest, below))
        && (below == length || copy.part(below).zeroes(length - below));
  }

  private void readBacking(long guest, IoVector part, int flags) throws BlockException {
    Edge backing = image.backing();
    if (backing == null) {
      part.fill((byte) 0);
    } else {
      image.file().announce(DebugEvent.READ_BACKING_AIO);
      backing.read(guest, part, flags & ~RequestFlags.COPY_ON_READ);
    }
  }
}

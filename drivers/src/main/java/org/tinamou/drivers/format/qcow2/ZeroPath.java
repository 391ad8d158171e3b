package org.tinamou.drivers.format.qcow2;

import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.ZeroMemory;

/** Makes guest ranges zero or forgets them, by the tables where they can say so. */
final class ZeroPath {
  private final Qcow2Image image;
  private final Qcow2Header header;
  private final Geometry geometry;
  private final ReadPath reads;
  private final WritePath writes;
  private final ClearPath clears;

  ZeroPath(
      Qcow2Image image, Qcow2Header header, ReadPath reads, WritePath writes, ClearPath clears) {
    this.image = image;
    this.header = header;
    this.geometry = image.geometry();
    this.reads = reads;
    this.writes = writes;
    this.clears = clears;
  }

  /**
   * Through the tables: whole clusters, and parts of a cluster the rest of which is zero too.
   *
   * @return false if that takes buffers of zeroes
   */
  @InCoroutine
  boolean write(long offsetBytes, long length, int flags) throws BlockException {
    if (!image.isVersion3() && image.backing() != null) {
      return false; // without zero clusters the backing file would show through
    }
    ClearPath.Clearing clearing =
        !image.isVersion3()
            ? ClearPath.Clearing.FREE
            : (flags & RequestFlags.MAY_UNMAP) != 0
                ? ClearPath.Clearing.ZERO_AND_FREE
                : ClearPath.Clearing.ZERO;
    if (isRawOutside()) {
      image.data().writeZeroes(offsetBytes, length, flags & RequestFlags.MAY_UNMAP);
    }
    long end = offsetBytes + length;
    if (geometry.extended()) {
      return zeroParts(offsetBytes, end, clearing);
    }
    long start = geometry.clusterStart(offsetBytes);
    long wholeEnd = Math.min(geometry.clusterEnd(end), Math.max(end, diskBytes()));
    if (start == offsetBytes && wholeEnd == end) {
      clears.clear(start, end, clearing);
      return true;
    }
    return wholeEnd - start <= geometry.clusterBytes()
        && readsAsZeroes(start, offsetBytes - start)
        && readsAsZeroes(end, wholeEnd - end)
        && clears.clearIfEmpty(start, wholeEnd, clearing);
  }

  /** Whether the data file has to show the disk as it is, without our tables. */
  boolean isRawOutside() {
    return image.isExternal() && (header.autoclear() & Features.AUTOCLEAR_RAW_DATA_FILE) != 0;
  }

  /** The same where parts of clusters are told apart. */
  private boolean zeroParts(long offset, long end, ClearPath.Clearing clearing)
      throws BlockException {
    long start = geometry.partStart(offset);
    long partEnd = Math.min(geometry.partEnd(end), Math.max(end, diskBytes()));
    if (!readsAsZeroes(start, offset - start) || !readsAsZeroes(end, partEnd - end)) {
      return false;
    }
    long wholeStart = Math.min(geometry.clusterEnd(start), partEnd);
    long wholeEnd = partEnd == diskBytes() ? partEnd : geometry.clusterStart(partEnd);
    if (start < wholeStart && !clears.zeroParts(start, geometry.partEnd(wholeStart))) {
      return false;
    }
    if (wholeStart < wholeEnd) {
      clears.clear(wholeStart, wholeEnd, clearing);
    }
    long tail = Math.max(wholeStart, wholeEnd);
    return tail >= partEnd || clears.zeroParts(tail, partEnd);
  }

  /** Writes zeroes where the tables do not say that there are some already. */
  @InCoroutine
  void writeBytes(long offset, long length) throws BlockException {
    if (length > 0 && !readsAsZeroes(offset, length)) {
      writes.write(offset, IoVector.of(ZeroMemory.ofSize(length)));
    }
  }

  /** Whether the tables say so, here and below. */
  private boolean readsAsZeroes(long offset, long length) throws BlockException {
    for (long at = offset; at < offset + length; ) {
      ReadPath.Run run = run(at, offset + length - at);
      Edge backing = image.backing();
      boolean zero =
          switch (run.kind()) {
            case ZERO_PLAIN, ZERO_ALLOCATED -> true;
            case UNALLOCATED -> backing == null || backing.readsAsZeroes(at, run.lengthBytes());
            case NORMAL, COMPRESSED -> false;
          };
      if (!zero) {
        return false;
      }
      at += run.lengthBytes();
    }
    return true;
  }

  private ReadPath.Run run(long offset, long length) throws BlockException {
    image.metadata().lock();
    try {
      return reads.find(offset, length);
    } finally {
      image.metadata().unlock();
    }
  }

  /** Gives the space of whole clusters back; false if the format cannot. */
  @InCoroutine
  boolean discard(long offsetBytes, long length) throws BlockException {
    if (!image.isVersion3() && image.backing() != null) {
      return false; // without zero clusters the backing file would show through
    }
    ClearPath.Clearing clearing =
        image.isVersion3() ? ClearPath.Clearing.DISCARD : ClearPath.Clearing.FREE;
    long end = offsetBytes + length;
    long wholeEnd = end == diskBytes() ? end : geometry.clusterStart(end);
    long start = geometry.clusterEnd(offsetBytes);
    if (start < wholeEnd) {
      discardOutside(start, wholeEnd - start);
      clears.clear(start, wholeEnd, clearing);
    }
    return true;
  }

  private void discardOutside(long start, long length) throws BlockException {
    if (isRawOutside()) {
      image.data().writeZeroes(start, length, RequestFlags.MAY_UNMAP);
    } else if (image.isExternal()) {
      image.data().discard(start, length);
    }
  }

  private long diskBytes() {
    return Geometry.inSectors(image.sizeBytes());
  }
}

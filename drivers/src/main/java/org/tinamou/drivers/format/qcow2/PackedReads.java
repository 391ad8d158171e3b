package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.MemoryPool;

/** Reads compressed clusters; those that lie one behind the other in the file at once. */
final class PackedReads {
  private static final int MAX_ROW = 32;
  private static final int MIN_MEMORY_BYTES = 1 << 20;

  private final Qcow2Image image;
  private final Geometry geometry;
  private final ClusterCodec codec;
  private final MemoryPool clusters;

  /** Each has room for the longest packed form of a cluster, and usually of several. */
  private final MemoryPool memories;

  PackedReads(Qcow2Image image, ClusterCodec codec, MemoryPool clusters, MemoryPool memories) {
    this.image = image;
    this.geometry = image.geometry();
    this.codec = codec;
    this.clusters = clusters;
    this.memories = memories;
  }

  /** What pieces of memory packed clusters are read into. */
  static int memoryBytes(Geometry geometry) {
    return Math.max(2 * geometry.clusterBytes(), MIN_MEMORY_BYTES);
  }

  /**
   * The entries of compressed clusters in a row which one piece of a buffer takes as a whole; none
   * if the first is not such a one. The caller holds the metadata lock.
   */
  long[] row(long guest, IoVector buffer) throws BlockException {
    MemorySegment first = buffer.segments().getFirst();
    TableCache.Slice slice = image.map().sliceOrNull(guest);
    if (geometry.inCluster(guest) != 0 || !first.isNative() || slice == null) {
      return new long[0];
    }
    long whole = geometry.clusterIndex(first.byteSize());
    int most = (int) Math.min(MAX_ROW, Math.min(image.map().entriesLeft(guest), whole));
    long[] entries = new long[most];
    int count = 0;
    while (count < most) {
      long entry = image.map().entry(slice, guest + ((long) count << geometry.clusterBits()));
      if (image.map().kind(entry) != Entry.Kind.COMPRESSED) {
        break;
      }
      entries[count++] = entry;
    }
    return Arrays.copyOf(entries, count);
  }

  /** Reads a row of clusters into off-heap memory that is as long. */
  @InCoroutine
  void read(long[] entries, MemorySegment target) throws BlockException {
    int clusterBytes = geometry.clusterBytes();
    for (int from = 0; from < entries.length; ) {
      long start = start(entries[from]);
      long end = end(entries[from]);
      int to = from + 1;
      while (to < entries.length
          && start(entries[to]) >= start
          && start(entries[to]) <= end
          && end(entries[to]) - start <= memoryBytes(geometry)) {
        end = Math.max(end, end(entries[to]));
        to++;
      }
      MemorySegment memory = memories.take();
      try {
        MemorySegment read = memory.asSlice(0, end - start);
        image.file().read(start, IoVector.of(read), RequestFlags.NONE);
        MemorySegment[] packed = new MemorySegment[to - from];
        for (int i = from; i < to; i++) {
          packed[i - from] =
              read.asSlice(start(entries[i]) - start, end(entries[i]) - start(entries[i]));
        }
        codec.unpack(
            packed,
            target.asSlice((long) from * clusterBytes, (long) packed.length * clusterBytes));
      } finally {
        memories.give(memory);
      }
      from = to;
    }
  }

  private long start(long entry) {
    return Entry.compressedOffset(entry, geometry);
  }

  private long end(long entry) {
    return start(entry) + Entry.compressedBytes(entry, geometry);
  }

  /** Reads a part of one cluster. */
  @InCoroutine
  void read(long guest, long entry, IoVector part) throws BlockException {
    MemorySegment cluster = clusters.take();
    try {
      read(new long[] {entry}, cluster);
      long position = geometry.inCluster(guest);
      for (MemorySegment target : part.segments()) {
        target.copyFrom(cluster.asSlice(position, target.byteSize()));
        position += target.byteSize();
      }
    } finally {
      clusters.give(cluster);
    }
  }
}

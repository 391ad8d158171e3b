package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.MemoryPool;

/** Writes whole clusters, compressed. */
final class PackedWrites {
  private final Qcow2Image image;
  private final Geometry geometry;
  private final WritePath writes;
  private final ClusterCodec codec;

  /** Each has room for a cluster. */
  private final MemoryPool memories;

  /** What has been packed before it is written, by guest offsets. */
  private final ConcurrentHashMap<Long, Ahead> ahead = new ConcurrentHashMap<>();

  /**
   * A cluster that has been packed.
   *
   * @param address where in memory it is
   * @param packed empty if that saves nothing
   */
  private record Ahead(long address, byte[] packed) {}

  PackedWrites(Qcow2Image image, WritePath writes, ClusterCodec codec, MemoryPool memories) {
    this.image = image;
    this.geometry = image.geometry();
    this.writes = writes;
    this.codec = codec;
    this.memories = memories;
  }

  /** Packs whole clusters for writes that are to come. */
  @InCoroutine
  void packAhead(long guest, MemorySegment bytes) {
    int clusterBytes = geometry.clusterBytes();
    if (!bytes.isNative() || bytes.byteSize() < clusterBytes) {
      return;
    }
    byte[][] all = codec.packAll(bytes.asSlice(0, bytes.byteSize() & -clusterBytes));
    for (int i = 0; i < all.length; i++) {
      long done = (long) i * clusterBytes;
      ahead.put(guest + done, new Ahead(bytes.address() + done, all[i]));
    }
  }

  private byte @Nullable [] packed(long guest, IoVector data) {
    Ahead made = ahead.isEmpty() ? null : ahead.remove(guest);
    if (made != null
        && data.segments().size() == 1
        && data.sizeBytes() == geometry.clusterBytes()
        && data.segments().getFirst().address() == made.address()) {
      return made.packed().length == 0 ? null : made.packed();
    }
    return pack(data);
  }

  private byte @Nullable [] pack(IoVector data) {
    MemorySegment memory = memories.take();
    try {
      MemorySegment cluster = memory.asSlice(0, geometry.clusterBytes());
      long position = 0;
      for (MemorySegment part : data.segments()) {
        cluster.asSlice(position, part.byteSize()).copyFrom(part);
        position += part.byteSize();
      }
      cluster.asSlice(position).fill((byte) 0);
      return codec.pack(cluster);
    } finally {
      memories.give(memory);
    }
  }

  /**
   * Stores one cluster packed, or as it is if that is not longer.
   *
   * @param guest the start of a cluster
   * @param data a whole cluster, or up to the end of the disk
   */
  @InCoroutine
  void write(long guest, IoVector data) throws BlockException {
    byte[] packed = packed(guest, data);
    if (packed == null) {
      writes.write(guest, data);
    } else {
      storePacked(guest, packed, data);
    }
  }

  private void store(long offset, byte[] packed) throws BlockException {
    MemorySegment memory = memories.take();
    try {
      MemorySegment.copy(packed, 0, memory, ValueLayout.JAVA_BYTE, 0, packed.length);
      IoVector bytes = IoVector.of(memory.asSlice(0, packed.length));
      image.file().write(offset, bytes, RequestFlags.NONE);
    } finally {
      memories.give(memory);
    }
  }

  private void storePacked(long guest, byte[] packed, IoVector data) throws BlockException {
    long offset;
    image.metadata().lock();
    try {
      writes.awaitFilled(guest, guest + 1);
      refuseReplacing(image.map().entry(guest));
      image.beforeLazyChange();
      image.limitReleased();
      image.map().sliceForChange(guest); // its table comes before the data, as the reference has it
      offset = image.allocator().allocateBytes(packed.length);
      writes.beginPacked();
    } finally {
      image.metadata().unlock();
    }
    long entry = Entry.compressed(offset, packed.length, geometry);
    boolean linked = false;
    try {
      if (!Entry.canBeCompressedAt(offset, geometry)) {
        writes.write(guest, data);
        return;
      }
      store(offset, packed);
      image.metadata().lock();
      try {
        writes.awaitFilled(guest, guest + 1);
        TableCache.Slice slice = image.map().sliceForChange(guest);
        long before = image.map().entry(slice, guest);
        refuseReplacing(before);
        image.linked();
        image.map().entry(slice, guest, entry);
        image.map().parts(slice, guest, 0);
        writes.release(before, Freed.OTHERWISE);
        linked = true;
        writes.endPacked();
      } finally {
        image.metadata().unlock();
      }
    } finally {
      if (!linked) {
        dropPacked(offset, packed.length);
      }
    }
  }

  /** A compressed cluster takes the place of nothing: the reference refuses it as well. */
  private void refuseReplacing(long entry) throws BlockException {
    boolean refused =
        switch (image.map().kind(entry)) {
          case COMPRESSED -> true;
          case NORMAL, ZERO_ALLOCATED -> Entry.isCopied(entry);
          case UNALLOCATED, ZERO_PLAIN -> false;
        };
    if (refused) {
      throw BlockException.of(Errno.EIO, "a compressed write over a cluster that is in use");
    }
  }

  private void dropPacked(long offset, int length) throws BlockException {
    image.metadata().lock();
    try {
      long first = geometry.clusterIndex(offset);
      long last = geometry.clusterIndex(offset + length - 1);
      image.allocator().takeBack(first, last - first + 1);
    } finally {
      writes.endPacked();
      image.metadata().unlock();
    }
  }
}

package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.CopyRange;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.MemoryPool;

/**
 * Writes guest ranges: in place where a cluster is the guest's alone, else into new clusters that
 * the tables point to once they are full.
 */
final class WritePath {
  /** A write gets at most so many new clusters at once. */
  private static final int MAX_NEW_BYTES = 16 << 20;

  /**
   * Clusters that are being filled: the tables do not know of it yet.
   *
   * @param from where in the guest what is written begins, with what was there before
   * @param to where it ends
   * @param owned whether the cluster is the guest's already, and only parts of it are new
   */
  private record Filling(
      long guestStart,
      long clusters,
      long hostStart,
      long from,
      long to,
      boolean fresh,
      boolean owned) {
    boolean overlaps(long start, long end, Geometry geometry) {
      return start < guestStart + (clusters << geometry.clusterBits()) && end > guestStart;
    }
  }

  private final Qcow2Image image;
  private final Geometry geometry;
  private final ReadPath reads;

  /** Each has room for what stands before and behind the data of one write. */
  private final MemoryPool surroundings;

  private final List<Filling> fillings = new ArrayList<>();
  private int packing;
  private final CoQueue filled = new CoQueue("clusters being filled");

  WritePath(Qcow2Image image, ReadPath reads, MemoryPool surroundings) {
    this.image = image;
    this.geometry = image.geometry();
    this.reads = reads;
    this.surroundings = surroundings;
  }

  /** Stores a buffer. */
  @InCoroutine
  void write(long guest, IoVector buffer) throws BlockException {
    write(guest, new Payload.Bytes(buffer));
  }

  /**
   * Stores a range that the host copies.
   *
   * @return false if that is not possible; some of the range may have been written
   */
  @InCoroutine
  boolean copy(long guest, long length, CopyRange copy) throws BlockException {
    if (image.encryption() != null) {
      return false;
    }
    try {
      write(guest, new Payload.Copied(copy, 0, length));
      return true;
    } catch (BlockException e) {
      if (e.errno() == Errno.EOPNOTSUPP) {
        return false;
      }
      throw e;
    }
  }

  private void write(long guest, Payload data) throws BlockException {
    for (long done = 0; done < data.sizeBytes(); ) {
      done += writeRun(guest + done, data.slice(done, data.sizeBytes() - done));
    }
  }

  /** Stores the first part of what a write brings, and returns how long it was. */
  private long writeRun(long guest, Payload data) throws BlockException {
    long inPlace;
    long host = 0;
    int epoch = 0;
    Filling filling = null;
    image.metadata().lock();
    try {
      awaitFilled(geometry.clusterStart(guest), geometry.clusterStart(guest) + 1);
      TableCache.Slice slice = image.map().sliceOrNull(guest);
      inPlace = slice == null ? 0 : inPlaceBytes(slice, guest, data.sizeBytes());
      boolean goesOn = inPlace > 0 && goesOnReserved(slice, guest, inPlace, data.sizeBytes());
      if (inPlace > 0 && slice != null && !goesOn) {
        host = Entry.offset(image.map().entry(slice, guest)) + geometry.inCluster(guest);
        epoch = image.uses().enter();
      } else {
        filling = begin(guest, data.sizeBytes());
      }
    } finally {
      image.metadata().unlock();
    }
    if (filling != null) {
      return fill(filling, guest, data);
    }
    try {
      image.data().announce(DebugEvent.WRITE_AIO);
      store(guest, host, data.slice(0, inPlace));
      return inPlace;
    } finally {
      image.uses().leave(epoch);
    }
  }

  /** Waits until nobody fills clusters of a guest range. The caller holds the metadata lock. */
  void awaitFilled(long start, long end) {
    while (isBeingFilled(start, end)) {
      filled.await(image.metadata());
    }
  }

  /** Waits until nobody fills any cluster. The caller holds the metadata lock. */
  void awaitAllFilled() {
    while (packing > 0 || !fillings.isEmpty()) {
      filled.await(image.metadata());
    }
  }

  /** A packed cluster has its place, which no table knows yet. The caller holds the lock. */
  void beginPacked() {
    packing++;
  }

  /** The table knows it, or it has been given back. The caller holds the metadata lock. */
  void endPacked() {
    packing--;
    filled.wakeAll();
  }

  private boolean isBeingFilled(long start, long end) {
    for (Filling filling : fillings) {
      if (filling.overlaps(start, end, geometry)) {
        return true;
      }
    }
    return false;
  }

  private boolean isInPlace(TableCache.Slice slice, long guest) throws BlockException {
    return Entry.isCopied(image.map().entry(slice, guest))
        && image.map().partKind(slice, guest) == Entry.Kind.NORMAL;
  }

  /** Whether a cluster is the guest's alone, whatever its parts hold. */
  private boolean isOwned(long entry) {
    return Entry.isCopied(entry) && image.map().kind(entry) == Entry.Kind.NORMAL;
  }

  /** How many bytes from a guest offset on can be overwritten in one piece of the file. */
  private long inPlaceBytes(TableCache.Slice slice, long guest, long length) throws BlockException {
    if (!isInPlace(slice, guest)) {
      return 0;
    }
    long first = Entry.offset(image.map().entry(slice, guest));
    if (geometry.inCluster(first) != 0) {
      throw image
          .damage()
          .found(
              "Data cluster offset %s unaligned (guest offset: %s)"
                  .formatted(Hex.of(first), Hex.of(guest)));
    }
    ReadPath.Run run = reads.find(guest, length);
    long bytes = Math.min(run.lengthBytes(), geometry.clusterBytes() - geometry.inCluster(guest));
    while (bytes < run.lengthBytes() && isInPlace(slice, guest + bytes)) {
      bytes = Math.min(run.lengthBytes(), bytes + geometry.clusterBytes());
    }
    if (!image.isExternal()) {
      image.guard().beforeWrite(run.host(), bytes);
    }
    return bytes;
  }

  /** Takes clusters for a write. The caller holds the metadata lock. */
  private Filling begin(long guest, long length) throws BlockException {
    image.beforeLazyChange();
    image.limitReleased();
    long start = geometry.clusterStart(guest);
    TableCache.Slice slice = image.map().sliceForChange(guest);
    long entry = image.map().entry(slice, start);
    boolean owned = isOwned(entry) || isReserved(entry);
    long most = Math.min(image.map().entriesLeft(guest), MAX_NEW_BYTES >>> geometry.clusterBits());
    long wanted = Math.min(Math.max(1, most), geometry.clustersOf(guest + length - start));
    long clusters = 1;
    while (clusters < wanted
        && goesOn(slice, entry, start + (clusters << geometry.clusterBits()), clusters)) {
      clusters++;
    }
    ClusterAllocator.Run run;
    if (owned) {
      run = new ClusterAllocator.Run(ownedCluster(entry, start, clusters), clusters, false);
    } else if (image.isExternal()) {
      run = new ClusterAllocator.Run(geometry.clusterIndex(start), clusters, false);
    } else {
      run = image.allocator().allocate(clusters);
    }
    long end = start + (run.clusters() << geometry.clusterBits());
    Filling filling =
        new Filling(
            start,
            run.clusters(),
            run.firstCluster() << geometry.clusterBits(),
            owned ? ownedFrom(entry, guest) : copiedFrom(slice, guest),
            owned
                ? ownedTo(slice, Math.min(end, guest + length))
                : copiedTo(slice, Math.min(end, guest + length)),
            run.fresh(),
            owned);
    fillings.add(filling);
    return filling;
  }

  /** Where a write begins whose cluster is the guest's: data that is there may stay. */
  private long ownedFrom(long entry, long guest) {
    return !geometry.extended() && isOwned(entry) ? guest : geometry.partStart(guest);
  }

  private long ownedTo(TableCache.Slice slice, long end) {
    return !geometry.extended() && isOwned(image.map().entry(slice, end - 1))
        ? end
        : geometry.partEnd(end);
  }

  /** The first of a run of clusters that are the guest's already. */
  private long ownedCluster(long entry, long guest, long clusters) throws BlockException {
    long offset = Entry.offset(entry);
    if (geometry.inCluster(offset) != 0) {
      throw image
          .damage()
          .found(
              "Preallocated zero cluster offset %s unaligned (guest offset: %s)"
                  .formatted(Hex.of(offset), Hex.of(guest)));
    }
    if (!image.isExternal()) {
      image.guard().beforeWrite(offset, clusters << geometry.clusterBits());
      image.allocator().keep(geometry.clusterIndex(offset), clusters);
    }
    return geometry.clusterIndex(offset);
  }

  /** Whether a cluster that reads as zeroes has a place that is the guest's alone. */
  private boolean isReserved(long entry) {
    return !image.isExternal()
        && Entry.isCopied(entry)
        && image.map().kind(entry) == Entry.Kind.ZERO_ALLOCATED;
  }

  /** Whether a further cluster can be filled together with those before it. */
  private boolean goesOn(TableCache.Slice slice, long first, long guest, long clusters) {
    if (isBeingFilled(guest, guest + 1)) {
      return false;
    }
    long entry = image.map().entry(slice, guest);
    boolean has = isOwned(entry) || isReserved(entry);
    if (!isOwned(first) && !isReserved(first)) {
      return !has;
    }
    return has
        && !geometry.extended()
        && !image.isExternal()
        && Entry.offset(entry) == Entry.offset(first) + (clusters << geometry.clusterBits());
  }

  /** Whether what can be overwritten goes on with clusters in reserve, so that one write does. */
  private boolean goesOnReserved(
      TableCache.@Nullable Slice slice, long guest, long inPlace, long wanted) {
    long next = guest + inPlace;
    return slice != null
        && inPlace < wanted
        && geometry.inCluster(next) == 0
        && geometry.clusterIndex(next) % image.map().entriesPerSlice() != 0
        && isReserved(image.map().entry(slice, next))
        && goesOn(
            slice,
            image.map().entry(slice, guest),
            next,
            geometry.clusterIndex(next) - geometry.clusterIndex(guest));
  }

  /** Where what has to move to a new cluster before a write begins. */
  private long copiedFrom(TableCache.Slice slice, long guest) throws BlockException {
    long start = geometry.clusterStart(guest);
    long entry = image.map().entry(slice, start);
    return switch (image.map().kind(entry)) {
      case COMPRESSED -> start;
      case NORMAL ->
          geometry.extended()
              ? Math.min(
                  geometry.partStart(guest),
                  start
                      + (long) Parts.firstAllocated(image.map().parts(slice, start))
                          * geometry.partBytes())
              : start;
      default -> geometry.partStart(guest);
    };
  }

  /** Where it ends behind a write, whose end is given. */
  private long copiedTo(TableCache.Slice slice, long end) throws BlockException {
    long start = geometry.clusterStart(end - 1);
    long entry = image.map().entry(slice, start);
    return switch (image.map().kind(entry)) {
      case COMPRESSED -> start + geometry.clusterBytes();
      case NORMAL ->
          geometry.extended()
              ? Math.max(
                  geometry.partEnd(end),
                  start
                      + (long) Parts.endAllocated(image.map().parts(slice, start))
                          * geometry.partBytes())
              : start + geometry.clusterBytes();
      default -> geometry.partEnd(end);
    };
  }

  private boolean readsAsZeroes(long start, long end) throws BlockException {
    for (long at = start; at < end; at = geometry.partStart(at) + geometry.partBytes()) {
      TableCache.Slice slice = image.map().sliceOrNull(at);
      boolean zero =
          switch (slice == null ? Entry.Kind.UNALLOCATED : image.map().partKind(slice, at)) {
            case ZERO_PLAIN, ZERO_ALLOCATED -> true;
            case UNALLOCATED -> image.backing() == null;
            case NORMAL, COMPRESSED -> false;
          };
      if (!zero) {
        return false;
      }
    }
    return true;
  }

  private long fill(Filling filling, long guest, Payload data) throws BlockException {
    long end = filling.guestStart() + (filling.clusters() << geometry.clusterBits());
    long length = Math.min(data.sizeBytes(), end - guest);
    boolean done = false;
    try {
      writeWithSurroundings(filling, guest, data.slice(0, length));
      image.metadata().lock();
      try {
        link(filling);
        done = true;
      } finally {
        image.metadata().unlock();
      }
      return length;
    } finally {
      finish(filling, done);
    }
  }

  /** The data, if possible in one request with what the clusters held before and behind it. */
  private void writeWithSurroundings(Filling filling, long guest, Payload data)
      throws BlockException {
    long dataEnd = guest + data.sizeBytes();
    int readHead = (int) (guest - filling.from());
    int readTail = (int) (filling.to() - dataEnd);
    // Zeroes that are encrypted have to be written; the reference writes those around a copy, too.
    boolean cheap =
        data instanceof Payload.Bytes
            && (filling.fresh() || image.isExternal())
            && image.encryption() == null;
    if (cheap && (readHead > 0 || readTail > 0)) {
      boolean zeroHead;
      boolean zeroTail;
      image.metadata().lock();
      try {
        zeroHead = readsAsZeroes(filling.from(), guest);
        zeroTail = readsAsZeroes(dataEnd, filling.to());
      } finally {
        image.metadata().unlock();
      }
      readHead = zeroHead ? zeroed(filling, guest - readHead, readHead) : readHead;
      readTail = zeroTail ? zeroed(filling, dataEnd, readTail) : readTail;
    }
    long host = filling.hostStart() + guest - filling.guestStart() - readHead;
    if (readHead == 0 && readTail == 0) {
      image.data().announce(DebugEvent.WRITE_AIO);
      store(guest - readHead, host, data);
      return;
    }
    MemorySegment memory = surroundings.take();
    try {
      image.file().announce(DebugEvent.COW_READ);
      MemorySegment before = memory.asSlice(0, readHead);
      if (readHead > 0) {
        reads.read(guest - readHead, IoVector.of(before), RequestFlags.NONE);
      }
      MemorySegment behind = memory.asSlice(geometry.clusterBytes(), readTail);
      if (readTail > 0) {
        readBehind(dataEnd, behind);
      }
      image.data().announce(DebugEvent.WRITE_AIO);
      long from = guest - readHead;
      for (Payload part : data.between(before, behind)) {
        store(from, host + from - (guest - readHead), part);
        from += part.sizeBytes();
      }
    } finally {
      surroundings.give(memory);
    }
  }

  /** What lies in one piece of the file. */
  private void store(long guest, long host, Payload payload) throws BlockException {
    image.guard().parts().requireComplete();
    Encryption encryption = image.encryption();
    if (!(payload instanceof Payload.Bytes(IoVector data))) {
      payload.copyTo(image.data(), host);
    } else if (encryption == null) {
      image.data().write(host, data, RequestFlags.NONE);
    } else {
      encryption.write(image.data(), guest, host, data);
    }
  }

  /** Sees to it that a range of new clusters has zeroes; nothing of it is left to be written. */
  private int zeroed(Filling filling, long guest, long length) throws BlockException {
    if (!filling.fresh() && length > 0) {
      long host = filling.hostStart() + guest - filling.guestStart();
      long present = Math.min(length, Math.max(0, image.data().lengthBytes() - host));
      if (present > 0) {
        image.data().writeZeroes(host, present, RequestFlags.MAY_UNMAP);
      }
    }
    return 0;
  }

  /** What is behind the end of the disk is zero. */
  private void readBehind(long guest, MemorySegment target) throws BlockException {
    boolean ofMachine = guest >= image.vmStateOffset();
    long present =
        ofMachine
            ? target.byteSize()
            : Math.max(0, Math.min(target.byteSize(), image.sizeBytes() - guest));
    if (present > 0) {
      reads.read(guest, IoVector.of(target.asSlice(0, present)), RequestFlags.NONE);
    }
    target.asSlice(present).fill((byte) 0);
  }

  /** The tables point to the new clusters, all or none. The caller holds the metadata lock. */
  private void link(Filling filling) throws BlockException {
    // One slice tells of all of them, so nothing can fail once it is there.
    TableCache.Slice slice = image.map().sliceForChange(filling.guestStart());
    image.linked();
    if (filling.fresh()) {
      long filledBytes = filling.to() - filling.guestStart();
      image.allocator().reachesTo(filling.hostStart() + filledBytes);
    }
    for (long i = 0; i < filling.clusters(); i++) {
      long guest = filling.guestStart() + (i << geometry.clusterBits());
      long before = image.map().entry(slice, guest);
      if (!filling.owned()) {
        long host = filling.hostStart() + (i << geometry.clusterBits());
        image.map().entry(slice, guest, host | Entry.COPIED);
        release(before, Freed.OTHERWISE);
      } else if (!geometry.extended()) {
        image.map().entry(slice, guest, before & ~Entry.ZERO);
      }
      if (geometry.extended()) {
        long parts =
            image.map().kind(before) == Entry.Kind.COMPRESSED ? 0 : image.map().parts(slice, guest);
        int from = (int) (Math.max(0, filling.from() - guest) / geometry.partBytes());
        long bytes = Math.min(filling.to() - guest, geometry.clusterBytes());
        int to = (int) (bytes / geometry.partBytes());
        long kept = filling.owned() ? parts : Parts.withoutData(parts);
        image.map().parts(slice, guest, Parts.allocate(kept, from, to));
      }
    }
  }

  /** Gives up what an entry referred to. The caller holds the metadata lock. */
  void release(long entry, Freed why) {
    switch (image.map().kind(entry)) {
      case NORMAL, ZERO_ALLOCATED -> {
        long offset = Entry.offset(entry);
        if (image.isExternal()) {
          return; // clusters of the data file are not counted
        }
        if (geometry.inCluster(offset) == 0) {
          image.allocator().release(geometry.clusterIndex(offset), why);
        } else {
          image.damage().tell("Cannot free unaligned cluster " + Hex.of(offset));
        }
      }
      case COMPRESSED -> {
        long offset = Entry.compressedOffset(entry, geometry);
        long end = offset + Entry.compressedBytes(entry, geometry);
        long last = geometry.clusterIndex(end - 1);
        for (long cluster = geometry.clusterIndex(offset); cluster <= last; cluster++) {
          image.allocator().release(cluster, why);
        }
      }
      case UNALLOCATED, ZERO_PLAIN -> {}
    }
  }

  private void finish(Filling filling, boolean linked) throws BlockException {
    image.metadata().lock();
    try {
      fillings.remove(filling);
      filled.wakeAll();
      if (!linked && !filling.owned() && !image.isExternal()) {
        long first = geometry.clusterIndex(filling.hostStart());
        image.allocator().takeBack(first, filling.clusters());
      }
    } finally {
      image.metadata().unlock();
    }
  }
}

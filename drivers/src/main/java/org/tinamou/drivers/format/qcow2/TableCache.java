package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.block.RequestFlags;

/**
 * Keeps slices of tables in memory: a bounded number, written back when there is need for room or
 * when all are asked for. All calls come from holders of the image's metadata lock.
 */
final class TableCache {
  private static final ValueLayout.OfLong ENTRY =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final int ALIGNMENT_BYTES = 4096;

  /** Memory goes back as soon as so much of it is unused: what is in use has to be copied. */
  private static final int LEAST_PART_GIVEN_BACK = 4;

  /** So that a request has no more buffers than the host takes in one call. */
  private static final int MAX_NEIGHBOURS = 256;

  /** What has to be stable before a slice may be written. */
  @FunctionalInterface
  interface Barrier {
    void pass() throws BlockException;
  }

  /** A part of a table in memory. Valid until the cache is next asked for another one. */
  final class Slice {
    private MemorySegment bytes;
    private long hostOffset = -1;
    private long lastUse;

    private Slice(MemorySegment bytes) {
      this.bytes = bytes;
    }

    long entry(int index) {
      return bytes.get(ENTRY, (long) index * Geometry.ENTRY_BYTES);
    }

    void entry(int index, long value) {
      bytes.set(ENTRY, (long) index * Geometry.ENTRY_BYTES, value);
      markDirty();
    }

    MemorySegment bytes() {
      return bytes;
    }

    void markDirty() {
      dirty.put(hostOffset, this);
    }
  }

  private final Edge file;
  private int sliceBytes;
  private int capacity;
  private final Barrier barrier;
  private final @Nullable DebugEvent loading;
  private final DebugEvent writing;
  private Arena arena = Arena.ofShared();

  /** The one that was used longest ago comes first. */
  private final LinkedHashMap<Long, Slice> slices = new LinkedHashMap<>(16, 0.75f, true);

  private final TreeMap<Long, Slice> dirty = new TreeMap<>();
  private final Deque<Slice> idle = new ArrayDeque<>();
  private int made;
  private volatile long memoryBytes;
  private Runnable cleanable = () -> {};

  /** How often the cache has been cleaned. */
  private long cleanings;

  /**
   * An empty cache for second-level tables.
   *
   * @param capacity in slices, at least 2
   * @param barrier passed before a slice is written
   */
  TableCache(Edge file, int sliceBytes, int capacity, Barrier barrier) {
    this(file, sliceBytes, capacity, barrier, DebugEvent.L2_LOAD, DebugEvent.L2_UPDATE);
  }

  private TableCache(
      Edge file,
      int sliceBytes,
      int capacity,
      Barrier barrier,
      @Nullable DebugEvent loading,
      DebugEvent writing) {
    Check.argument(capacity >= 2, "a cache needs room for two slices: %s", capacity);
    this.file = file;
    this.sliceBytes = sliceBytes;
    this.capacity = capacity;
    this.barrier = barrier;
    this.loading = loading;
    this.writing = writing;
  }

  /** An empty cache for blocks of counts, whose reading is announced by those who change them. */
  static TableCache ofCounts(Edge file, int blockBytes, int capacity, Barrier barrier) {
    return new TableCache(
        file, blockBytes, capacity, barrier, null, DebugEvent.REFBLOCK_UPDATE_PART);
  }

  int sliceBytes() {
    return sliceBytes;
  }

  /** The slice at a place of the file, which is a multiple of the slice size. */
  Slice get(long hostOffset) throws BlockException {
    Slice known = slices.get(hostOffset);
    if (known != null) {
      known.lastUse = cleanings;
      return known;
    }
    Slice slice = room();
    try {
      if (loading != null) {
        file.announce(loading);
      }
      file.read(hostOffset, IoVector.of(slice.bytes), RequestFlags.NONE);
    } catch (BlockException e) {
      idle.add(slice);
      throw e;
    }
    enter(slice, hostOffset);
    return slice;
  }

  /** A slice full of zeroes for a place whose content does not matter. */
  Slice create(long hostOffset) throws BlockException {
    Slice slice = slices.get(hostOffset);
    if (slice == null) {
      slice = room();
      enter(slice, hostOffset);
    }
    slice.lastUse = cleanings;
    slice.bytes.fill((byte) 0);
    slice.markDirty();
    return slice;
  }

  private void enter(Slice slice, long hostOffset) {
    slice.hostOffset = hostOffset;
    slice.lastUse = cleanings;
    slices.put(hostOffset, slice);
    cleanable.run();
  }

  /** A slice that is in no use: a new one, or the one that was used longest ago. */
  private Slice room() throws BlockException {
    Slice unused = idle.poll();
    if (unused != null) {
      return unused;
    }
    if (made < capacity) {
      setMade(made + 1);
      return new Slice(allocate(arena));
    }
    Slice oldest = slices.firstEntry().getValue();
    if (dirty.containsKey(oldest.hostOffset)) {
      barrier.pass();
      write(List.of(oldest));
    }
    slices.remove(oldest.hostOffset);
    return oldest;
  }

  boolean hasDirty() {
    return !dirty.isEmpty();
  }

  /** Writes all slices that have changed, neighbours in one request. Does not flush the file. */
  void writeBack() throws BlockException {
    if (dirty.isEmpty()) {
      return;
    }
    barrier.pass();
    while (!dirty.isEmpty()) {
      List<Slice> neighbours = new ArrayList<>();
      long next = dirty.firstKey();
      for (Slice slice = dirty.get(next);
          slice != null && neighbours.size() < MAX_NEIGHBOURS;
          slice = dirty.get(next)) {
        neighbours.add(slice);
        next += sliceBytes;
      }
      write(neighbours);
    }
  }

  private void write(List<Slice> neighbours) throws BlockException {
    List<MemorySegment> segments = neighbours.stream().map(slice -> slice.bytes).toList();
    file.announce(writing);
    file.write(neighbours.getFirst().hostOffset, IoVector.of(segments), RequestFlags.NONE);
    neighbours.forEach(slice -> dirty.remove(slice.hostOffset));
    cleanable.run();
  }

  /** Has somebody told whenever there is something more that cleaning may find unused. */
  void whenCleanable(Runnable listener) {
    cleanable = listener;
  }

  /** How much memory it takes. Any thread. */
  long memoryBytes() {
    return memoryBytes;
  }

  /**
   * Gives back what is not changed and has not been used since this was last called.
   *
   * @return whether the next cleaning may find more, even if nothing else happens until then
   */
  boolean clean() {
    boolean more = false;
    for (Iterator<Slice> each = slices.values().iterator(); each.hasNext(); ) {
      Slice slice = each.next();
      if (dirty.containsKey(slice.hostOffset)) {
        continue;
      }
      if (slice.lastUse < cleanings) {
        each.remove();
        idle.add(slice);
      } else {
        more = true;
      }
    }
    cleanings++;
    shrink();
    return more;
  }

  /** Moves what is in use to memory of its own, unless too little would be gained by it. */
  private void shrink() {
    if (idle.size() < Math.max(1, made / LEAST_PART_GIVEN_BACK)) {
      return;
    }
    Arena next = Arena.ofShared();
    for (Slice slice : slices.values()) {
      slice.bytes = allocate(next).copyFrom(slice.bytes);
    }
    idle.clear();
    setMade(slices.size());
    arena.close();
    arena = next;
  }

  private void setMade(int count) {
    made = count;
    memoryBytes = (long) count * sliceBytes;
  }

  private MemorySegment allocate(Arena from) {
    return from.allocate(sliceBytes, Math.min(sliceBytes, ALIGNMENT_BYTES));
  }

  /** Forgets what a range of the file held: it is no table any more. */
  void forget(long hostOffset, long lengthBytes) {
    for (long at = hostOffset; at < hostOffset + lengthBytes; at += sliceBytes) {
      Slice slice = slices.remove(at);
      if (slice != null) {
        dirty.remove(at);
        idle.add(slice);
      }
    }
  }

  /** Forgets everything; nothing may have changed since it was last written back. */
  void forgetAll() {
    Check.state(dirty.isEmpty(), "changed tables are forgotten");
    idle.addAll(slices.values());
    slices.clear();
  }

  /**
   * Other sizes from now on. If they differ, nothing may have changed since it was written back.
   */
  void resize(int newSliceBytes, int newCapacity) {
    if (newSliceBytes == sliceBytes && newCapacity == capacity) {
      return;
    }
    forgetAll();
    idle.clear();
    setMade(0);
    arena.close();
    arena = Arena.ofShared();
    sliceBytes = newSliceBytes;
    capacity = newCapacity;
  }

  /** Frees the memory. */
  void close() {
    arena.close();
  }
}

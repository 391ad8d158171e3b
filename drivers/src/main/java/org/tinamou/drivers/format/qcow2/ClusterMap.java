package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/**
 * From guest clusters to entries: a first-level table, all of it in memory, and second-level ones
 * in slices. All calls come from holders of the metadata lock.
 */
final class ClusterMap {
  /** First-level entries are written in pieces of this many bytes. */
  private static final int FIRST_LEVEL_PIECE_BYTES = 4096;

  private static final int ENTRIES_PER_PIECE = FIRST_LEVEL_PIECE_BYTES / Geometry.ENTRY_BYTES;
  private static final int HEADER_TABLE_FIELDS = 36;

  private final Edge file;
  private final Geometry geometry;
  private final TableCache slices;
  private final ClusterAllocator allocator;
  private final Runnable onNewTable;
  private final MetadataGuard guard;
  private final boolean external;
  private final BitSet dirtyPieces = new BitSet();
  private long[] firstLevel;
  private long firstLevelOffset;

  /**
   * The map of an image.
   *
   * @param onNewTable runs when a table has taken a cluster
   */
  ClusterMap(
      Edge file,
      Geometry geometry,
      TableCache slices,
      ClusterAllocator allocator,
      Runnable onNewTable,
      MetadataGuard guard,
      Qcow2Header header,
      long[] firstLevel) {
    this.file = file;
    this.geometry = geometry;
    this.slices = slices;
    this.allocator = allocator;
    this.onNewTable = onNewTable;
    this.guard = guard;
    this.firstLevelOffset = header.firstLevelOffset();
    this.firstLevel = firstLevel;
    this.external = header.hasFeature(Features.INCOMPATIBLE_DATA_FILE);
  }

  static long[] readFirstLevel(Edge file, Qcow2Header header) throws BlockException {
    try {
      int bytes = header.firstLevelEntries() * Geometry.ENTRY_BYTES;
      return HeapBytes.longs(HeapBytes.read(file, header.firstLevelOffset(), bytes));
    } catch (BlockException e) {
      throw BlockException.of(e.errno(), "Could not read L1 table");
    }
  }

  long[] firstLevel() {
    return firstLevel;
  }

  /** Takes over a first level that was changed on the disk, at the same place. */
  void reload(long[] entries) {
    firstLevel = entries;
  }

  long firstLevelOffset() {
    return firstLevelOffset;
  }

  TableCache slices() {
    return slices;
  }

  /** Another table is in use from now on. */
  void switchTo(long offset, long[] entries) {
    firstLevel = entries;
    firstLevelOffset = offset;
    dirtyPieces.clear();
  }

  /** Changes an entry, if it is not that already. */
  void firstLevelEntry(int index, long value) {
    if (firstLevel[index] != value) {
      firstLevel[index] = value;
      dirtyPieces.set(index / ENTRIES_PER_PIECE);
    }
  }

  private int firstLevelIndex(long guest) {
    return (int) (guest / geometry.bytesPerTable());
  }

  int entriesPerSlice() {
    return slices.sliceBytes() / geometry.secondLevelEntryBytes();
  }

  private int indexInSlice(long guest) {
    return (int) (guest >>> geometry.clusterBits()) & entriesPerSlice() - 1;
  }

  /** How many clusters from a guest offset's on one slice tells of. */
  int entriesLeft(long guest) {
    return entriesPerSlice() - indexInSlice(guest);
  }

  /** How many bytes from a guest offset on one second-level table tells of. */
  long bytesLeftInTable(long guest) {
    return geometry.bytesPerTable() - guest % geometry.bytesPerTable();
  }

  private long tableOffset(long guest) throws BlockException {
    int index = firstLevelIndex(guest);
    long offset = index < firstLevel.length ? Entry.offset(firstLevel[index]) : 0;
    if (geometry.inCluster(offset) != 0) {
      throw guard
          .damage()
          .found(
              "L2 table offset %s unaligned (L1 index: %s)"
                  .formatted(Hex.of(offset), Hex.of(index)));
    }
    return offset;
  }

  /** The slice for a guest offset, or null where there is no table: everything is unallocated. */
  TableCache.@Nullable Slice sliceOrNull(long guest) throws BlockException {
    long table = tableOffset(guest);
    return table == 0 ? null : slices.get(sliceOffset(table, guest));
  }

  private long sliceOffset(long table, long guest) {
    long clusterInTable = guest % geometry.bytesPerTable() >>> geometry.clusterBits();
    return table + clusterInTable / entriesPerSlice() * slices.sliceBytes();
  }

  /** A slice that may be changed; a missing table is made, one shared with a snapshot copied. */
  TableCache.Slice sliceForChange(long guest) throws BlockException {
    int index = firstLevelIndex(guest);
    long table = tableOffset(guest);
    if (table == 0 || !Entry.isCopied(firstLevel[index])) {
      table = newTable(index, table);
    } else {
      guard.beforeWrite(table, geometry.clusterBytes(), MetadataMap.Part.ACTIVE_SECOND_LEVEL);
    }
    return slices.get(sliceOffset(table, guest));
  }

  private long newTable(int index, long old) throws BlockException {
    long cluster = allocator.allocateContiguous(1).firstCluster();
    long table = cluster << geometry.clusterBits();
    boolean done = false;
    try {
      fillTable(table, old);
      done = true;
    } finally {
      if (!done) {
        slices.forget(table, geometry.clusterBytes());
        allocator.takeBack(cluster, 1);
      }
    }
    onNewTable.run();
    guard.parts().addTable(table);
    firstLevel[index] = table | Entry.COPIED;
    dirtyPieces.set(index / ENTRIES_PER_PIECE);
    if (old != 0) {
      allocator.release(geometry.clusterIndex(old), Freed.OTHERWISE);
      guard.parts().removeTable(old);
    }
    return table;
  }

  /** Zeroes, or what another table says. */
  private void fillTable(long table, long old) throws BlockException {
    guard.parts().requireComplete();
    for (long at = 0; at < geometry.clusterBytes(); at += slices.sliceBytes()) {
      byte[] content = null;
      if (old != 0) {
        file.announce(DebugEvent.L2_ALLOC_COW_READ);
        content = slices.get(old + at).bytes().toArray(ValueLayout.JAVA_BYTE);
      }
      TableCache.Slice slice = slices.create(table + at);
      if (content != null) {
        slice.bytes().copyFrom(MemorySegment.ofArray(content));
        slice.markDirty();
      }
    }
    file.announce(DebugEvent.L2_ALLOC_WRITE);
  }

  /** The entry of a guest offset, 0 where there is no table. */
  long entry(long guest) throws BlockException {
    TableCache.Slice slice = sliceOrNull(guest);
    return slice == null ? 0 : entry(slice, guest);
  }

  /** Where the entry of a guest offset is, as messages tell it. */
  String place(long guest) throws BlockException {
    long index = guest % geometry.bytesPerTable() >>> geometry.clusterBits();
    return "L2 offset: %s, L2 index: %s".formatted(Hex.of(tableOffset(guest)), Hex.of(index));
  }

  private int index(long guest) {
    return indexInSlice(guest) * (geometry.extended() ? 2 : 1);
  }

  long entry(TableCache.Slice slice, long guest) {
    return slice.entry(index(guest));
  }

  void entry(TableCache.Slice slice, long guest, long value) {
    slice.entry(index(guest), value);
  }

  /** Which parts of a cluster have data, and which read as zeroes; 0 where nobody keeps that. */
  long parts(TableCache.Slice slice, long guest) {
    return geometry.extended() ? slice.entry(index(guest) + 1) : 0;
  }

  /** Changes that, where it is kept. */
  void parts(TableCache.Slice slice, long guest, long value) {
    if (geometry.extended()) {
      slice.entry(index(guest) + 1, value);
    }
  }

  /** What an entry says of its cluster as a whole. */
  Entry.Kind kind(long entry) {
    if (external
        && (entry & (Entry.COMPRESSED | Entry.OFFSET_MASK)) == 0
        && Entry.isCopied(entry)) {
      // The first cluster of the data file.
      boolean zero = (entry & Entry.ZERO) != 0 && !geometry.extended();
      return zero ? Entry.Kind.ZERO_ALLOCATED : Entry.Kind.NORMAL;
    }
    return Entry.kind(geometry.extended() ? entry & ~Entry.ZERO : entry);
  }

  /** What the part of a cluster is that an offset is in. */
  Entry.Kind partKind(TableCache.Slice slice, long guest) throws BlockException {
    Entry.Kind whole = kind(entry(slice, guest));
    if (!geometry.extended() || whole == Entry.Kind.COMPRESSED) {
      return whole;
    }
    boolean hasCluster = whole == Entry.Kind.NORMAL;
    return switch (Parts.kind(parts(slice, guest), geometry.part(guest))) {
      case ZERO -> hasCluster ? Entry.Kind.ZERO_ALLOCATED : Entry.Kind.ZERO_PLAIN;
      case UNALLOCATED -> Entry.Kind.UNALLOCATED;
      case ALLOCATED -> {
        if (!hasCluster) {
          throw invalid(guest);
        }
        yield Entry.Kind.NORMAL;
      }
      case INVALID -> throw invalid(guest);
    };
  }

  private BlockException invalid(long guest) throws BlockException {
    return guard.damage().found("Invalid cluster entry found  (%s)".formatted(place(guest)));
  }

  /** Second-level slices that have changed go to the file. */
  void writeBackSlices() throws BlockException {
    slices.writeBack();
  }

  boolean hasDirtySlices() {
    return slices.hasDirty();
  }

  boolean hasDirtyFirstLevel() {
    return !dirtyPieces.isEmpty();
  }

  /** Writes first-level entries that have changed; the tables they point to are stable. */
  void writeBackFirstLevel() throws BlockException {
    for (int piece = dirtyPieces.nextSetBit(0); piece >= 0; ) {
      int from = piece * ENTRIES_PER_PIECE;
      int to = Math.min(firstLevel.length, from + ENTRIES_PER_PIECE);
      long[] entries = Arrays.copyOfRange(firstLevel, from, to);
      long at = firstLevelOffset + (long) from * Geometry.ENTRY_BYTES;
      file.announce(DebugEvent.L1_UPDATE);
      HeapBytes.write(file, at, HeapBytes.bigEndian(entries));
      dirtyPieces.clear(piece);
      piece = dirtyPieces.nextSetBit(piece + 1);
    }
  }

  private void publish(long[] grown, long newOffset, TableCache.Barrier stabilise)
      throws BlockException {
    file.announce(DebugEvent.L1_GROW_WRITE_TABLE);
    HeapBytes.write(file, newOffset, HeapBytes.bigEndian(grown));
    stabilise.pass();
    ByteBuffer fields = ByteBuffer.allocate(Integer.BYTES + Long.BYTES);
    fields.putInt(grown.length).putLong(newOffset);
    file.announce(DebugEvent.L1_GROW_ACTIVATE_TABLE);
    // A size that the table does not cover is refused, and the old table counts until then.
    HeaderFields.write(file, guard.damage(), HEADER_TABLE_FIELDS, fields.array());
  }

  /**
   * Has room for a larger disk: a new first-level table is on the disk, and the header names it.
   *
   * @param stabilise makes the counts of the new table's clusters and its content stable
   */
  void grow(int entries, TableCache.Barrier stabilise) throws BlockException {
    if (entries <= firstLevel.length) {
      return;
    }
    long bytes = (long) entries * Geometry.ENTRY_BYTES;
    file.announce(DebugEvent.L1_GROW_ALLOC_TABLE);
    ClusterAllocator.Run run = allocator.allocateContiguous(geometry.clustersOf(bytes));
    long newOffset = run.firstCluster() << geometry.clusterBits();
    long[] grown = Arrays.copyOf(firstLevel, entries);
    long oldOffset = firstLevelOffset;
    final long oldClusters = geometry.clustersOf((long) firstLevel.length * Geometry.ENTRY_BYTES);
    onNewTable.run();
    boolean done = false;
    try {
      publish(grown, newOffset, stabilise);
      done = true;
    } finally {
      if (!done && !guard.damage().isFatal()) {
        allocator.takeBack(run.firstCluster(), run.clusters());
      }
    }
    firstLevel = grown;
    firstLevelOffset = newOffset;
    guard.parts().move(MetadataMap.Part.ACTIVE_FIRST_LEVEL, newOffset, bytes);
    dirtyPieces.clear();
    for (long i = 0; i < oldClusters; i++) {
      allocator.release(geometry.clusterIndex(oldOffset) + i, Freed.OTHERWISE);
    }
  }
}

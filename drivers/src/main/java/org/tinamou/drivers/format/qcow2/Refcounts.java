package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.LongConsumer;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/**
 * How often each cluster of the file is referred to. Kept in blocks, which a table points to. All
 * calls come from holders of the metadata lock.
 *
 * <p>Changes stay in memory until {@link #writeBack}. What grows the table or adds a block is on
 * the disk when it returns: a block before the entry that points to it, a table before the header.
 */
final class Refcounts {
  static final long OFFSET_MASK = -1L << 9;
  private static final int GROW_NUMERATOR = 3;
  private static final int GROW_DENOMINATOR = 2;
  private static final int MAX_TABLE_BYTES = 8 << 20;
  private static final int HEADER_TABLE_OFFSET = 48;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final Edge file;
  private final Geometry geometry;
  private final TableCache blocks;
  private final MetadataGuard guard;
  private long[] table;
  private long tableOffset;
  private LongConsumer onFreed = cluster -> {};

  Refcounts(
      Edge file,
      Geometry geometry,
      TableCache blocks,
      MetadataGuard guard,
      long tableOffset,
      long[] table) {
    this.file = file;
    this.geometry = geometry;
    this.blocks = blocks;
    this.guard = guard;
    this.tableOffset = tableOffset;
    this.table = table;
  }

  /** Told of each cluster that nothing refers to any more, those of an outgrown table included. */
  void tellFreedTo(LongConsumer listener) {
    onFreed = listener;
  }

  long tableOffset() {
    return tableOffset;
  }

  int tableClusters() {
    return table.length / geometry.countEntriesPerCluster();
  }

  /** What is kept of the blocks in memory. */
  TableCache blocks() {
    return blocks;
  }

  /** The entries of the table: where the blocks are, or 0. */
  long[] table() {
    return table;
  }

  /** Takes over a table that was changed on the disk. */
  void reload(long offset, long[] entries) {
    tableOffset = offset;
    table = entries;
  }

  /**
   * Begins anew with a table of one cluster and one block, both of which are zero in the file: the
   * first clusters are counted once and all others are free. On the disk when this returns.
   */
  void restart(long newTableOffset, long blockOffset, long clusters) throws BlockException {
    blocks.forgetAll();
    tableOffset = newTableOffset;
    table = new long[geometry.countEntriesPerCluster()];
    file.announce(DebugEvent.REFBLOCK_ALLOC);
    createBlock(blockOffset, 0, 0, clusters);
    file.announce(DebugEvent.REFTABLE_UPDATE);
    writeEntry(0, blockOffset);
  }

  private long blockOffset(long clusterIndex) throws BlockException {
    long index = clusterIndex / geometry.refcountsPerBlock();
    if (index >= table.length) {
      return 0;
    }
    long offset = table[(int) index] & OFFSET_MASK;
    if (geometry.inCluster(offset) != 0) {
      throw guard
          .damage()
          .found(
              "Refblock offset %s unaligned (reftable index: %s)"
                  .formatted(Hex.of(offset), Hex.of(index)));
    }
    return offset;
  }

  /** The count of a cluster, as an unsigned number; 0 if no block knows it. */
  long get(long clusterIndex) throws BlockException {
    long offset = blockOffset(clusterIndex);
    if (offset == 0) {
      return 0;
    }
    int index = (int) (clusterIndex % geometry.refcountsPerBlock());
    return read(blocks.get(sliceOffset(offset, index)).bytes(), indexInSlice(index));
  }

  /**
   * Fails where no block knows a cluster that something refers to.
   *
   * @throws BlockException with EFBIG if none ever could, else with EAGAIN
   */
  void requireCounted(long clusterIndex) throws BlockException {
    if (clusterIndex / geometry.refcountsPerBlock() >= MAX_TABLE_BYTES / Long.BYTES) {
      throw BlockException.of(Errno.EFBIG, "cluster " + clusterIndex + " cannot be counted");
    }
    if (blockOffset(clusterIndex) == 0) {
      throw BlockException.of(Errno.EAGAIN, "cluster " + clusterIndex + " is not counted");
    }
  }

  private int countsPerSlice() {
    return blocks.sliceBytes() * Byte.SIZE >> geometry.refcountOrder();
  }

  private long sliceOffset(long blockOffset, int index) {
    return blockOffset + (long) (index / countsPerSlice()) * blocks.sliceBytes();
  }

  private int indexInSlice(int index) {
    return index % countsPerSlice();
  }

  private long read(MemorySegment slice, int index) {
    return read(slice, index, geometry.refcountOrder());
  }

  /** One count in a block. */
  static long read(MemorySegment block, int index, int order) {
    return switch (order) {
      case 3 -> block.get(ValueLayout.JAVA_BYTE, index) & 0xff;
      case 4 -> block.get(SHORT, 2L * index) & 0xffff;
      case 5 -> block.get(INT, 4L * index) & 0xffff_ffffL;
      case 6 -> block.get(LONG, 8L * index);
      default -> {
        int perByte = Byte.SIZE >> order;
        int shift = (index % perByte) << order;
        yield block.get(ValueLayout.JAVA_BYTE, index / perByte) >> shift
            & ((1 << (1 << order)) - 1);
      }
    };
  }

  /** Sets one count in a block. */
  static void write(MemorySegment block, int index, int order, long value) {
    switch (order) {
      case 3 -> block.set(ValueLayout.JAVA_BYTE, index, (byte) value);
      case 4 -> block.set(SHORT, 2L * index, (short) value);
      case 5 -> block.set(INT, 4L * index, (int) value);
      case 6 -> block.set(LONG, 8L * index, value);
      default -> {
        int perByte = Byte.SIZE >> order;
        int shift = (index % perByte) << order;
        int mask = (1 << (1 << order)) - 1;
        int before = block.get(ValueLayout.JAVA_BYTE, index / perByte);
        block.set(
            ValueLayout.JAVA_BYTE,
            index / perByte,
            (byte) (before & ~(mask << shift) | (int) value << shift));
      }
    }
  }

  /** Tells the file of what the counts are about to be changed for. */
  void announce(DebugEvent event) {
    file.announce(event);
  }

  private void announceChange() {
    file.announce(DebugEvent.REFBLOCK_ALLOC);
    file.announce(DebugEvent.REFBLOCK_LOAD);
  }

  /** Counts one more reference to each cluster of a run. */
  void increase(long firstCluster, long clusters) throws BlockException {
    announceChange();
    for (long cluster = firstCluster; cluster < firstCluster + clusters; cluster++) {
      long count = get(cluster);
      if (count == geometry.maxRefcount()) {
        throw new BlockException(Errno.EINVAL, "a refcount would exceed its maximum");
      }
      set(cluster, count + 1);
    }
  }

  /**
   * Counts one reference less.
   *
   * @return whether that was the last one
   */
  boolean decrease(long cluster) throws BlockException {
    long count = get(cluster);
    if (count == 0) {
      guard.damage().note("qcow2_free_clusters failed: Invalid argument");
      return false;
    }
    set(cluster, count - 1);
    if (count == 1) {
      onFreed.accept(cluster);
    }
    return count == 1;
  }

  private void set(long cluster, long value) throws BlockException {
    long offset = blockOffset(cluster);
    if (offset == 0) {
      offset = addBlock(cluster);
    }
    guard.beforeWrite(offset, geometry.clusterBytes(), MetadataMap.Part.REFCOUNT_BLOCK);
    int index = (int) (cluster % geometry.refcountsPerBlock());
    TableCache.Slice slice = blocks.get(sliceOffset(offset, index));
    write(slice.bytes(), indexInSlice(index), geometry.refcountOrder(), value);
    slice.markDirty();
  }

  /** Writes what has changed. */
  void writeBack() throws BlockException {
    blocks.writeBack();
  }

  // ------------------------------------------------------------------------------------- growing

  /**
   * Makes sure that there is a block for a cluster, which may take up that very cluster.
   *
   * @param behind where a new block is to stand if it counts that cluster too, so as not to part
   *     those in front of it; or 0
   */
  void ensureCounted(long cluster, long behind) throws BlockException {
    if (blockOffset(cluster) == 0) {
      long index = cluster / geometry.refcountsPerBlock();
      if (index >= table.length) {
        growTable(index, 0);
      } else {
        long first = index * geometry.refcountsPerBlock();
        boolean self = behind > first && behind < first + geometry.refcountsPerBlock();
        addBlock(index, self ? behind : first);
      }
    }
  }

  /**
   * Adds the block that counts a cluster. The block takes the first free cluster of the range it
   * describes, so it counts itself.
   */
  private long addBlock(long cluster) throws BlockException {
    long index = cluster / geometry.refcountsPerBlock();
    if (index >= table.length) {
      growTable(index, 0);
      return blockOffset(cluster);
    }
    // Nothing in the range is counted yet, so all of it but the cluster in question is free.
    long first = index * geometry.refcountsPerBlock();
    return addBlock(index, first == cluster ? first + 1 : first);
  }

  private long addBlock(long index, long wantedPlace) throws BlockException {
    long first = index * geometry.refcountsPerBlock();
    long place = Math.max(1, wantedPlace);
    long offset = place << geometry.clusterBits();
    guard.beforeWrite(offset, geometry.clusterBytes());
    if (first == 0) {
      // Every image is made with the block that counts its first clusters.
      throw guard.damage().found("Preventing invalid allocation of refcount block at offset 0");
    }
    file.announce(DebugEvent.REFBLOCK_ALLOC_WRITE);
    createBlock(offset, first, place, 1);
    file.announce(DebugEvent.REFBLOCK_ALLOC_HOOKUP);
    writeEntry((int) index, offset);
    guard.parts().addBlock(offset);
    return offset;
  }

  /** Makes a block whose counts are 1 for a run of clusters and 0 for all others; on the disk. */
  private void createBlock(long offset, long firstCluster, long runStart, long runLength)
      throws BlockException {
    long perSlice = countsPerSlice();
    long slices = geometry.clusterBytes() / blocks.sliceBytes();
    for (long number = 0; number < slices; number++) {
      TableCache.Slice slice = blocks.create(offset + number * blocks.sliceBytes());
      long sliceFirst = firstCluster + number * perSlice;
      long from = Math.max(sliceFirst, runStart);
      long to = Math.min(sliceFirst + perSlice, runStart + runLength);
      for (long each = from; each < to; each++) {
        write(slice.bytes(), (int) (each - sliceFirst), geometry.refcountOrder(), 1);
      }
    }
    blocks.writeBack();
    file.flush();
  }

  private void writeEntry(int index, long offset) throws BlockException {
    ByteBuffer entry = ByteBuffer.allocate(Long.BYTES).putLong(0, offset);
    HeapBytes.write(file, tableOffset + (long) index * Long.BYTES, entry.array());
    table[index] = offset; // in use as soon as it may be on the disk
    file.flush();
  }

  /**
   * Takes clusters in a row that are too many for what one block counts, behind everything that is
   * counted so far. The blocks that count them stand in front of them.
   *
   * @return the first of the clusters, each of which is counted once
   */
  long takeBehind(long clusters) throws BlockException {
    long perBlock = geometry.refcountsPerBlock();
    long newBlocks = Math.ceilDiv(clusters, perBlock - 1);
    long index = uncountedIndex();
    while (index + newBlocks > table.length) {
      growTable(index, newBlocks);
      index = uncountedIndex();
    }
    long start = index * perBlock;
    guard.beforeWrite(
        start << geometry.clusterBits(), newBlocks + clusters << geometry.clusterBits());
    for (long i = 0; i < newBlocks; i++) {
      long offset = start + i << geometry.clusterBits();
      createBlock(offset, start + i * perBlock, start, newBlocks + clusters);
    }
    for (long i = 0; i < newBlocks; i++) {
      long offset = start + i << geometry.clusterBits();
      writeEntry((int) (index + i), offset);
      guard.parts().addBlock(offset);
    }
    return start + newBlocks;
  }

  /** From where on there are no blocks. */
  private long uncountedIndex() {
    int index = table.length;
    while (index > 0 && table[index - 1] == 0) {
      index--;
    }
    return index;
  }

  /**
   * Puts a larger table, and blocks for the clusters it takes, behind everything that the present
   * table can count.
   *
   * @param more how many entries are wanted behind those that this takes
   */
  private void growTable(long neededIndex, long more) throws BlockException {
    file.announce(DebugEvent.REFTABLE_GROW);
    long perBlock = geometry.refcountsPerBlock();
    long firstIndex = Math.max(neededIndex, table.length);
    long start = firstIndex * perBlock;
    long clusters;
    long newBlocks = 1;
    while (true) {
      // Besides the block that is wanted, as many as could count the table and all blocks.
      long entries = firstIndex + newBlocks + more;
      long wanted = Math.ceilDiv(entries * GROW_NUMERATOR, GROW_DENOMINATOR);
      clusters = geometry.clustersOf(wanted * Long.BYTES);
      long needed = 1 + Math.ceilDiv(firstIndex + newBlocks + clusters, perBlock);
      if (needed <= newBlocks) {
        break;
      }
      newBlocks = needed;
    }
    if (clusters << geometry.clusterBits() > MAX_TABLE_BYTES) {
      throw new BlockException(Errno.EFBIG, "the image cannot grow any further");
    }
    guard.beforeWrite(
        start << geometry.clusterBits(), newBlocks + clusters << geometry.clusterBits());
    long[] grown = new long[(int) (clusters * geometry.countEntriesPerCluster())];
    System.arraycopy(table, 0, grown, 0, table.length);
    file.announce(DebugEvent.REFBLOCK_ALLOC_WRITE_BLOCKS);
    for (int i = 0; i < newBlocks; i++) {
      long offset = start + i << geometry.clusterBits();
      createBlock(offset, start + i * perBlock, start, newBlocks + clusters);
      grown[(int) (firstIndex + i)] = offset;
    }
    long newOffset = start + newBlocks << geometry.clusterBits();
    file.announce(DebugEvent.REFBLOCK_ALLOC_WRITE_TABLE);
    HeapBytes.write(file, newOffset, HeapBytes.bigEndian(grown));
    file.flush();
    ByteBuffer fields = ByteBuffer.allocate(Long.BYTES + Integer.BYTES);
    fields.putLong(newOffset).putInt((int) clusters);
    file.announce(DebugEvent.REFBLOCK_ALLOC_SWITCH_TABLE);
    HeaderFields.write(file, guard.damage(), HEADER_TABLE_OFFSET, fields.array());
    final long oldFirst = tableOffset >>> geometry.clusterBits();
    final long oldClusters = tableClusters();
    table = grown;
    tableOffset = newOffset;
    guard
        .parts()
        .move(MetadataMap.Part.REFCOUNT_TABLE, newOffset, clusters << geometry.clusterBits());
    for (int i = 0; i < newBlocks; i++) {
      guard.parts().addBlock(start + i << geometry.clusterBits());
    }
    for (long cluster = oldFirst; cluster < oldFirst + oldClusters; cluster++) {
      decrease(cluster);
    }
  }

  /** Reads the table of an image that is being opened. */
  static long[] readTable(Edge file, Qcow2Header header) throws BlockException {
    long bytes = (long) header.refcountTableClusters() << header.geometry().clusterBits();
    try {
      file.announce(DebugEvent.REFTABLE_LOAD);
      return HeapBytes.longs(HeapBytes.read(file, header.refcountTableOffset(), (int) bytes));
    } catch (BlockException e) {
      throw BlockException.of(e.errno(), "Could not read refcount table");
    }
  }
}

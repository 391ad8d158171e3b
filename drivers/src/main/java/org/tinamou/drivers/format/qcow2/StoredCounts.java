package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/** The counts of references that stand in a file, as a check reads and mends them. */
final class StoredCounts {
  private static final int CACHE_BYTES = 8 << 20;

  private final Edge file;
  private final Geometry geometry;
  private final long tableOffset;

  /** No block is behind it. */
  private long endBytes;

  private final long[] table;
  private final LinkedHashMap<Long, MemorySegment> blocks;

  StoredCounts(Edge file, Qcow2Header header, long fileBytes) throws BlockException {
    this.file = file;
    this.geometry = header.geometry();
    this.tableOffset = header.refcountTableOffset();
    this.endBytes = fileBytes;
    this.table = Refcounts.readTable(file, header);
    int capacity = Math.max(4, CACHE_BYTES >>> geometry.clusterBits());
    this.blocks =
        new LinkedHashMap<>(16, 0.75f, true) {
          private static final long serialVersionUID = 1L;

          @Override
          protected boolean removeEldestEntry(Map.Entry<Long, MemorySegment> eldest) {
            return size() > capacity;
          }
        };
  }

  /** The entries of the table, with whatever bits they have. */
  long[] table() {
    return table;
  }

  private int tableIndex(long cluster) {
    long index = cluster / geometry.refcountsPerBlock();
    return index < table.length ? (int) index : -1;
  }

  private long blockOffset(long cluster) {
    int index = tableIndex(cluster);
    return index < 0 ? 0 : table[index] & Refcounts.OFFSET_MASK;
  }

  /** The first cluster, not before the given one, whose block exists; or a huge number. */
  long nextCounted(long cluster) {
    long index = cluster / geometry.refcountsPerBlock();
    while (index < table.length && (table[(int) index] & Refcounts.OFFSET_MASK) == 0) {
      index++;
    }
    return index < table.length
        ? Math.max(cluster, index * geometry.refcountsPerBlock())
        : Long.MAX_VALUE;
  }

  /**
   * The count of a cluster.
   *
   * @throws BlockException with EIO if its block cannot be read
   */
  long get(long cluster) throws BlockException {
    MemorySegment block = block(cluster);
    return block == null
        ? 0
        : Refcounts.read(
            block, (int) (cluster % geometry.refcountsPerBlock()), geometry.refcountOrder());
  }

  private @Nullable MemorySegment block(long cluster) throws BlockException {
    long offset = blockOffset(cluster);
    if (offset == 0 || offset >= endBytes) {
      return null;
    }
    if (geometry.inCluster(offset) != 0) {
      throw new BlockException(
          Errno.EIO,
          "Refblock offset %s unaligned (reftable index: %s)"
              .formatted(Hex.of(offset), Hex.of(tableIndex(cluster))));
    }
    MemorySegment block = blocks.get(offset);
    if (block == null) {
      block = MemorySegment.ofArray(HeapBytes.read(file, offset, geometry.clusterBytes()));
      blocks.put(offset, block);
    }
    return block;
  }

  /** Whether {@link #set} can store a count for a cluster. */
  boolean canSet(long cluster) throws BlockException {
    return block(cluster) != null;
  }

  /** Writes one count, which has a block. */
  void set(long cluster, long count) throws BlockException {
    MemorySegment block = Objects.requireNonNull(block(cluster));
    int index = (int) (cluster % geometry.refcountsPerBlock());
    int order = geometry.refcountOrder();
    Refcounts.write(block, index, order, count);
    int firstByte = (int) ((long) index << order >>> 3);
    int bytes = Math.max(1, 1 << order >>> 3);
    byte[] changed = new byte[bytes];
    MemorySegment.copy(block, ValueLayout.JAVA_BYTE, firstByte, changed, 0, bytes);
    HeapBytes.write(file, blockOffset(cluster) + firstByte, changed);
  }

  /** Whether the table has room for a block that counts a cluster, and none yet. */
  boolean canAddBlock(long cluster) {
    return tableIndex(cluster) >= 0 && blockOffset(cluster) == 0;
  }

  /** Gives a range of clusters a block, which is on the disk when this returns. */
  void addBlock(long cluster, long blockOffset, long tableOffset) throws BlockException {
    int index = tableIndex(cluster);
    HeapBytes.write(file, blockOffset, new byte[geometry.clusterBytes()]);
    file.flush();
    byte[] entry = ByteBuffer.allocate(Long.BYTES).putLong(0, blockOffset).array();
    HeapBytes.write(file, tableOffset + (long) index * Long.BYTES, entry);
    table[index] = blockOffset;
    endBytes = Math.max(endBytes, blockOffset + geometry.clusterBytes());
  }

  /**
   * Makes a block of a free cluster that has no count yet, which it then has; false if the table
   * has no room for it.
   */
  boolean addOwnBlock(long cluster) throws BlockException {
    if (!canAddBlock(cluster)) {
      return false;
    }
    byte[] bytes = new byte[geometry.clusterBytes()];
    int inBlock = (int) (cluster % geometry.refcountsPerBlock());
    Refcounts.write(MemorySegment.ofArray(bytes), inBlock, geometry.refcountOrder(), 1);
    long offset = cluster << geometry.clusterBits();
    HeapBytes.write(file, offset, bytes);
    file.flush();
    writeEntry(tableIndex(cluster), offset);
    file.flush();
    endBytes = Math.max(endBytes, offset + geometry.clusterBytes());
    return true;
  }

  private void writeEntry(int index, long offset) throws BlockException {
    blocks.remove(table[index] & Refcounts.OFFSET_MASK);
    blocks.remove(offset);
    byte[] entry = ByteBuffer.allocate(Long.BYTES).putLong(0, offset).array();
    HeapBytes.write(file, tableOffset + (long) index * Long.BYTES, entry);
    table[index] = offset;
  }

  /** A block has been copied and is used at its new place from now on. */
  void moveBlock(int index, long newOffset) throws BlockException {
    writeEntry(index, newOffset);
    endBytes = Math.max(endBytes, newOffset + geometry.clusterBytes());
  }

  /**
   * Takes away a block that counts nothing, or nothing but itself.
   *
   * @return the cluster it was in, or -1 if it counts something
   */
  long dropIfEmpty(int index) throws BlockException {
    long first = (long) index * geometry.refcountsPerBlock();
    long own = geometry.clusterIndex(table[index] & Refcounts.OFFSET_MASK);
    if (own == 0) {
      return -1;
    }
    for (long each = first; each < first + geometry.refcountsPerBlock(); each++) {
      if (each != own && get(each) != 0) {
        return -1;
      }
    }
    writeEntry(index, 0);
    file.flush();
    if (canSet(own)) {
      set(own, 0);
    }
    return own;
  }
}

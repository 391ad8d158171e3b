package org.tinamou.drivers.format.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.BitSet;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * A qcow2 image that is written from its first byte to its last, by whoever knows beforehand which
 * clusters have data: tables first, then the data in the guest's order. Version 3, counts of 16
 * bits, nothing packed. Any thread, one at a time.
 */
public final class Qcow2Stream {
  /** Where the bytes go. */
  @FunctionalInterface
  public interface Sink {
    void write(byte[] bytes) throws IOException;
  }

  private static final int REFCOUNT_ORDER = 4;
  private static final int END_OF_EXTENSIONS_BYTES = 8;

  private final Geometry geometry;
  private final long sizeBytes;
  private final BitSet data;
  private final int firstLevelEntries;
  private final long firstLevelClusters;
  private final BitSet tables = new BitSet();
  private long tableClusters;
  private long blocks;
  private final long clusters;

  /**
   * Plans an image.
   *
   * @param sizeBytes the disk's size
   * @param clusterBytes a power of two from 512 to 2 MiB
   * @param data the guest clusters that have data
   * @throws BlockException if the disk is too large for such clusters
   */
  public Qcow2Stream(long sizeBytes, int clusterBytes, BitSet data) throws BlockException {
    this.geometry =
        new Geometry(Integer.numberOfTrailingZeros(clusterBytes), REFCOUNT_ORDER, false);
    this.sizeBytes = sizeBytes;
    this.data = data;
    long entries = Math.max(1, geometry.firstLevelEntries(sizeBytes));
    if (entries * Geometry.ENTRY_BYTES > Qcow2Header.MAX_FIRST_LEVEL_BYTES) {
      throw BlockException.of(Errno.EFBIG, "The disk is too large for such small clusters");
    }
    this.firstLevelEntries = (int) entries;
    this.firstLevelClusters = geometry.clustersOf(entries * Geometry.ENTRY_BYTES);
    for (int at = data.nextSetBit(0); at >= 0; ) {
      int table = at / geometry.entriesPerTable();
      tables.set(table);
      long next = (table + 1L) * geometry.entriesPerTable();
      at = next > Integer.MAX_VALUE ? -1 : data.nextSetBit((int) next);
    }
    long others = 1 + firstLevelClusters + tables.cardinality() + data.cardinality();
    while (true) {
      long total = others + tableClusters + blocks;
      long wantedBlocks = Math.ceilDiv(total, geometry.refcountsPerBlock());
      long wantedTable = geometry.clustersOf(wantedBlocks * Long.BYTES);
      if (wantedBlocks <= blocks && wantedTable <= tableClusters) {
        break;
      }
      blocks = Math.max(blocks, wantedBlocks);
      tableClusters = Math.max(tableClusters, wantedTable);
    }
    this.clusters = others + tableClusters + blocks;
  }

  /** How long the image is. */
  public long imageBytes() {
    return clusters << geometry.clusterBits();
  }

  private long offset(long cluster) {
    return cluster << geometry.clusterBits();
  }

  private long firstLevelCluster() {
    return 1 + tableClusters + blocks;
  }

  /** Writes everything that comes before the data, of which each cluster is to follow whole. */
  public void writeTables(Sink sink) throws IOException {
    sink.write(header());
    ByteBuffer table = ByteBuffer.allocate((int) offset(tableClusters));
    for (long block = 0; block < blocks; block++) {
      table.putLong(offset(1 + tableClusters + block));
    }
    sink.write(table.array());
    for (long block = 0; block < blocks; block++) {
      ByteBuffer counts = ByteBuffer.allocate(geometry.clusterBytes());
      long left = clusters - block * geometry.refcountsPerBlock();
      for (long i = 0; i < Math.min(left, geometry.refcountsPerBlock()); i++) {
        counts.putShort((short) 1);
      }
      sink.write(counts.array());
    }
    long nextTable = firstLevelCluster() + firstLevelClusters;
    ByteBuffer firstLevel = ByteBuffer.allocate((int) offset(firstLevelClusters));
    for (int index = tables.nextSetBit(0); index >= 0; index = tables.nextSetBit(index + 1)) {
      firstLevel.putLong(index * Long.BYTES, Entry.COPIED | offset(nextTable++));
    }
    sink.write(firstLevel.array());
    long nextData = nextTable;
    for (int index = tables.nextSetBit(0); index >= 0; index = tables.nextSetBit(index + 1)) {
      ByteBuffer entries = ByteBuffer.allocate(geometry.clusterBytes());
      long first = (long) index * geometry.entriesPerTable();
      for (int i = 0; i < geometry.entriesPerTable() && first + i < Integer.MAX_VALUE; i++) {
        if (data.get((int) first + i)) {
          entries.putLong(i * Long.BYTES, Entry.COPIED | offset(nextData++));
        }
      }
      sink.write(entries.array());
    }
  }

  private byte[] header() {
    ByteBuffer header = ByteBuffer.allocate(geometry.clusterBytes());
    header.putInt(Qcow2Header.MAGIC).putInt(3).putLong(0).putInt(0);
    header.putInt(geometry.clusterBits()).putLong(sizeBytes).putInt(0);
    header.putInt(firstLevelEntries);
    header.putLong(offset(firstLevelCluster())).putLong(offset(1)).putInt((int) tableClusters);
    header.putInt(0).putLong(0).putLong(0).putLong(0).putLong(0);
    header.putInt(REFCOUNT_ORDER).putInt(Qcow2Header.FULL_BYTES).putLong(0);
    header.position(header.position() + END_OF_EXTENSIONS_BYTES);
    return header.array();
  }
}

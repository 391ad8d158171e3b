package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/**
 * Writes all counts of a file anew, behind everything that is there, and switches to them in one
 * write: whatever interrupts it, there are always whole counts.
 */
final class RefcountBuilder {
  /** How often each cluster is to be counted. */
  @FunctionalInterface
  interface Counts {
    long of(long cluster) throws BlockException;
  }

  private static final int MAX_TABLE_BYTES = 8 << 20;
  private static final int TABLE_FIELDS = 48;
  private static final int ORDER_FIELD = 96;

  private RefcountBuilder() {}

  /**
   * Builds them.
   *
   * @param order the binary logarithm of a count's width
   * @param clusters what there is to count; the new counts come behind it
   */
  static void build(Edge file, Qcow2Header header, int order, long clusters, Counts counts)
      throws BlockException {
    Geometry geometry = header.geometry();
    long perBlock = (long) geometry.clusterBytes() * Byte.SIZE >> order;
    long blocks = 0;
    long tableClusters = 0;
    while (true) {
      long total = clusters + blocks + tableClusters;
      long neededBlocks = Math.ceilDiv(total, perBlock);
      long neededTable = geometry.clustersOf(neededBlocks * Long.BYTES);
      if (neededBlocks <= blocks && neededTable <= tableClusters) {
        break;
      }
      blocks = Math.max(blocks, neededBlocks);
      tableClusters = Math.max(tableClusters, neededTable);
    }
    long tableBytes = tableClusters << geometry.clusterBits();
    if (tableBytes > MAX_TABLE_BYTES) {
      throw BlockException.of(Errno.EFBIG, "too many clusters to count");
    }
    long end = clusters + blocks + tableClusters;
    long most = order == Geometry.MAX_REFCOUNT_ORDER ? -1 : (1L << (1 << order)) - 1;
    long[] table = new long[(int) (tableBytes / Long.BYTES)];
    byte[] block = new byte[geometry.clusterBytes()];
    MemorySegment memory = MemorySegment.ofArray(block);
    for (int i = 0; i < blocks; i++) {
      memory.fill((byte) 0);
      for (long each = 0; each < perBlock && i * perBlock + each < end; each++) {
        long cluster = i * perBlock + each;
        long count = cluster < clusters ? counts.of(cluster) : 1;
        if (Long.compareUnsigned(count, most) > 0) {
          throw new BlockException(
              Errno.EINVAL,
              "Cannot decrease refcount entry width to %d bits: Cluster at offset %s has a refcount of %s"
                  .formatted(
                      1 << order,
                      Hex.of(cluster << geometry.clusterBits()),
                      Long.toUnsignedString(count)));
        }
        Refcounts.write(memory, (int) each, order, count);
      }
      table[i] = clusters + i << geometry.clusterBits();
      HeapBytes.write(file, table[i], block);
    }
    long tableOffset = clusters + blocks << geometry.clusterBits();
    HeapBytes.write(file, tableOffset, HeapBytes.bigEndian(table));
    file.flush();
    publish(file, header, order, tableOffset, (int) tableClusters);
  }

  private static void publish(
      Edge file, Qcow2Header header, int order, long tableOffset, int tableClusters)
      throws BlockException {
    boolean reordered = order != header.geometry().refcountOrder();
    int bytes = reordered ? ORDER_FIELD + Integer.BYTES : TABLE_FIELDS + 12;
    ByteBuffer fields = ByteBuffer.wrap(HeapBytes.read(file, 0, bytes));
    fields.putLong(TABLE_FIELDS, tableOffset).putInt(TABLE_FIELDS + 8, tableClusters);
    if (reordered) {
      fields.putInt(ORDER_FIELD, order);
    }
    byte[] content = new byte[bytes - TABLE_FIELDS];
    fields.get(TABLE_FIELDS, content);
    HeapBytes.write(file, TABLE_FIELDS, content);
    file.flush();
  }
}

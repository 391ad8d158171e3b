package org.tinamou.drivers.format.qcow2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * A qcow2 image that is written from its first byte to its last, by whoever knows beforehand which
 * clusters have data and how long each is as it is stored: tables first, then the data in the
 * guest's order, packed clusters without gaps between them. Version 3, counts of 16 bits. Any
 * thread, one at a time.
 */
public final class Qcow2Stream {
  /** Where the bytes go. */
  @FunctionalInterface
  public interface Sink {
    void write(byte[] bytes) throws IOException;
  }

  /** Which guest clusters have data, and how many bytes each takes; told in the guest's order. */
  public static final class Contents {
    private final int clusterBytes;
    private final BitSet data = new BitSet();

    /** Of those that have data; null as long as none is packed. */
    private int @Nullable [] lengths;

    private int count;

    /**
     * Nothing yet.
     *
     * @param clusterBytes what a cluster takes that is not packed
     */
    public Contents(int clusterBytes) {
      this.clusterBytes = clusterBytes;
    }

    /**
     * One more cluster.
     *
     * @param index larger than all before
     * @param storedBytes at most a whole cluster, which means that it is not packed
     */
    public void add(long index, int storedBytes) {
      Check.argument(storedBytes > 0 && storedBytes <= clusterBytes, "%s bytes", storedBytes);
      data.set(Math.toIntExact(index));
      int[] known = lengths;
      if (known == null && storedBytes < clusterBytes) {
        known = new int[Math.max(FIRST_LENGTHS, count + 1)];
        Arrays.fill(known, 0, count, clusterBytes);
      } else if (known != null && count == known.length) {
        known = Arrays.copyOf(known, Math.toIntExact(count * 3L / 2));
      }
      if (known != null) {
        known[count] = storedBytes;
      }
      lengths = known;
      count++;
    }

    /** Whether a cluster has data. */
    public boolean has(long index) {
      return data.get((int) index);
    }

    private int length(int number) {
      int[] known = lengths;
      return known == null ? clusterBytes : known[number];
    }
  }

  private static final int FIRST_LENGTHS = 1024;
  private static final int REFCOUNT_ORDER = 4;
  private static final int END_OF_EXTENSIONS_BYTES = 8;

  private final Geometry geometry;
  private final long sizeBytes;
  private final Contents contents;
  private final boolean zstd;
  private final int firstLevelEntries;
  private final long firstLevelClusters;
  private final BitSet tables = new BitSet();
  private long tableClusters;
  private long blocks;
  private final long clusters;

  /** How many packed clusters touch each cluster of the data; null where nothing is packed. */
  private final char @Nullable [] counts;

  private int nextNumber;
  private long nextByte;

  /**
   * Plans an image.
   *
   * @param sizeBytes the disk's size
   * @param clusterBytes a power of two from 512 to 2 MiB
   * @param zstd whether packed clusters are zstd's, not deflate's
   * @throws BlockException if the disk is too large for such clusters
   */
  public Qcow2Stream(long sizeBytes, int clusterBytes, boolean zstd, Contents contents)
      throws BlockException {
    this.geometry =
        new Geometry(Integer.numberOfTrailingZeros(clusterBytes), REFCOUNT_ORDER, false);
    this.sizeBytes = sizeBytes;
    this.contents = contents;
    this.zstd = zstd;
    long entries = Math.max(1, geometry.firstLevelEntries(sizeBytes));
    if (entries * Geometry.ENTRY_BYTES > Qcow2Header.MAX_FIRST_LEVEL_BYTES) {
      throw BlockException.of(Errno.EFBIG, "The disk is too large for such small clusters");
    }
    this.firstLevelEntries = (int) entries;
    this.firstLevelClusters = geometry.clustersOf(entries * Geometry.ENTRY_BYTES);
    for (int at = contents.data.nextSetBit(0); at >= 0; ) {
      int table = at / geometry.entriesPerTable();
      tables.set(table);
      long next = (table + 1L) * geometry.entriesPerTable();
      at = next > Integer.MAX_VALUE ? -1 : contents.data.nextSetBit((int) next);
    }
    long dataClusters = geometry.clustersOf(dataBytes());
    this.counts = contents.lengths == null ? null : count((int) dataClusters);
    long others = 1 + firstLevelClusters + tables.cardinality() + dataClusters;
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

  /** Where a cluster is stored that follows others, which end at a place. */
  private long place(long end, int length) {
    return length < geometry.clusterBytes() ? end : geometry.clusterEnd(end);
  }

  private long dataBytes() {
    long end = 0;
    for (int number = 0; number < contents.count; number++) {
      int length = contents.length(number);
      end = place(end, length) + length;
    }
    return end;
  }

  private char[] count(int dataClusters) {
    char[] found = new char[dataClusters];
    long end = 0;
    for (int number = 0; number < contents.count; number++) {
      int length = contents.length(number);
      long start = place(end, length);
      end = start + length;
      for (long each = geometry.clusterIndex(start);
          each <= geometry.clusterIndex(end - 1);
          each++) {
        // What packs best of all still takes more than a 65536th of a cluster.
        Check.state(++found[(int) each] != 0, "too many packed clusters in one");
      }
    }
    return found;
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

  private long firstDataCluster() {
    return firstLevelCluster() + firstLevelClusters + tables.cardinality();
  }

  /** Writes everything that comes before the data. */
  public void writeTables(Sink sink) throws IOException, BlockException {
    sink.write(header());
    ByteBuffer table = ByteBuffer.allocate((int) offset(tableClusters));
    for (long block = 0; block < blocks; block++) {
      table.putLong(offset(1 + tableClusters + block));
    }
    sink.write(table.array());
    for (long block = 0; block < blocks; block++) {
      sink.write(counts(block * geometry.refcountsPerBlock()));
    }
    long nextTable = firstLevelCluster() + firstLevelClusters;
    ByteBuffer firstLevel = ByteBuffer.allocate((int) offset(firstLevelClusters));
    for (int index = tables.nextSetBit(0); index >= 0; index = tables.nextSetBit(index + 1)) {
      firstLevel.putLong(index * Long.BYTES, Entry.COPIED | offset(nextTable++));
    }
    sink.write(firstLevel.array());
    writeSecondLevel(sink);
    nextByte = offset(firstDataCluster());
  }

  private byte[] counts(long first) {
    ByteBuffer block = ByteBuffer.allocate(geometry.clusterBytes());
    long end = Math.min(clusters, first + geometry.refcountsPerBlock());
    char[] packed = counts;
    for (long cluster = first; cluster < end; cluster++) {
      long inData = cluster - firstDataCluster();
      block.putChar(packed == null || inData < 0 ? 1 : packed[(int) inData]);
    }
    return block.array();
  }

  private void writeSecondLevel(Sink sink) throws IOException, BlockException {
    long end = offset(firstDataCluster());
    int number = 0;
    for (int index = tables.nextSetBit(0); index >= 0; index = tables.nextSetBit(index + 1)) {
      ByteBuffer entries = ByteBuffer.allocate(geometry.clusterBytes());
      long first = (long) index * geometry.entriesPerTable();
      for (int i = 0; i < geometry.entriesPerTable() && first + i < Integer.MAX_VALUE; i++) {
        if (contents.has(first + i)) {
          int length = contents.length(number++);
          long start = place(end, length);
          end = start + length;
          entries.putLong(i * Long.BYTES, entry(start, length));
        }
      }
      sink.write(entries.array());
    }
  }

  private long entry(long start, int length) throws BlockException {
    if (length == geometry.clusterBytes()) {
      return Entry.COPIED | start;
    }
    if (!Entry.canBeCompressedAt(start, geometry)) {
      throw BlockException.of(Errno.EFBIG, "the image is too large for packed clusters");
    }
    return Entry.compressed(start, length, geometry);
  }

  /**
   * Writes the next cluster that has data.
   *
   * @return false if it is not as long as was said beforehand: the source has changed
   */
  public boolean writeData(byte[] stored, Sink sink) throws IOException {
    if (stored.length != contents.length(nextNumber)) {
      return false;
    }
    pad(place(nextByte, stored.length), sink);
    sink.write(stored);
    nextByte += stored.length;
    nextNumber++;
    return true;
  }

  /** Writes what is left behind the data. */
  public void end(Sink sink) throws IOException {
    pad(imageBytes(), sink);
  }

  private void pad(long place, Sink sink) throws IOException {
    if (place > nextByte) {
      sink.write(new byte[(int) (place - nextByte)]);
      nextByte = place;
    }
  }

  private byte[] header() {
    ByteBuffer header = ByteBuffer.allocate(geometry.clusterBytes());
    header.putInt(Qcow2Header.MAGIC).putInt(3).putLong(0).putInt(0);
    header.putInt(geometry.clusterBits()).putLong(sizeBytes).putInt(0);
    header.putInt(firstLevelEntries);
    header.putLong(offset(firstLevelCluster())).putLong(offset(1)).putInt((int) tableClusters);
    header.putInt(0).putLong(0);
    header.putLong(zstd ? Features.INCOMPATIBLE_COMPRESSION : 0).putLong(0).putLong(0);
    header.putInt(REFCOUNT_ORDER).putInt(Qcow2Header.FULL_BYTES);
    header.put((byte) (zstd ? Qcow2Header.COMPRESSION_ZSTD : Qcow2Header.COMPRESSION_ZLIB));
    header.position(Qcow2Header.FULL_BYTES + END_OF_EXTENSIONS_BYTES);
    return header.array();
  }
}

package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/**
 * Where the tables of a sound image are, and what holds the offset of each: the header and tables
 * above them.
 *
 * @param runs what has to stay in one piece
 * @param firstLevels tables whose entries lead to second-level tables
 * @param bitmapTables tables whose entries lead to the bits of bitmaps
 * @param secondLevels the clusters of the second-level tables
 */
record TableList(
    List<Run> runs, List<Area> firstLevels, List<Area> bitmapTables, BitSet secondLevels) {
  private static final int FIRST_LEVEL_FIELD = 40;
  private static final int REFCOUNT_TABLE_FIELD = 48;
  private static final int SNAPSHOTS_FIELD = 64;
  private static final int SNAPSHOT_HEAD_BYTES = 40;
  private static final int BITMAP_HEAD_BYTES = 24;
  private static final int DIRECTORY_FIELD = 16;
  private static final int READ_BYTES = 1 << 16;

  /** Bytes of the file. */
  record Area(long offset, long bytes) {}

  /**
   * Clusters in a row.
   *
   * @param pointerOffset where in the file its offset stands
   */
  record Run(Area area, long pointerOffset) {}

  static TableList read(Edge file, Qcow2Header header) throws BlockException {
    TableList list =
        new TableList(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new BitSet());
    list.addSnapshots(file, header);
    list.addBitmaps(file, header);
    Area active =
        new Area(
            header.firstLevelOffset(), (long) header.firstLevelEntries() * Geometry.ENTRY_BYTES);
    list.firstLevels.add(active);
    list.runs.add(new Run(active, FIRST_LEVEL_FIELD));
    long tableBytes = (long) header.refcountTableClusters() << header.geometry().clusterBits();
    Area counts = new Area(header.refcountTableOffset(), tableBytes);
    list.runs.add(new Run(counts, REFCOUNT_TABLE_FIELD));
    list.findSecondLevels(file, header.geometry());
    return list;
  }

  /** The tables before the table that has their offsets, so that this is where it was read. */
  private void addSnapshots(Edge file, Qcow2Header header) throws BlockException {
    long offset = header.snapshotsOffset();
    for (int i = 0; i < header.snapshots(); i++) {
      ByteBuffer head = ByteBuffer.wrap(HeapBytes.read(file, offset, SNAPSHOT_HEAD_BYTES));
      Area table = new Area(head.getLong(0), (long) head.getInt(8) * Geometry.ENTRY_BYTES);
      if (table.bytes() > 0) {
        firstLevels.add(table);
        runs.add(new Run(table, offset));
      }
      long length =
          SNAPSHOT_HEAD_BYTES
              + (long) (head.getShort(12) & 0xffff)
              + (head.getShort(14) & 0xffff)
              + head.getInt(36);
      offset += length + Long.BYTES - 1 & -Long.BYTES;
    }
    if (header.snapshots() > 0) {
      Area all = new Area(header.snapshotsOffset(), offset - header.snapshotsOffset());
      runs.add(new Run(all, SNAPSHOTS_FIELD));
    }
  }

  private void addBitmaps(Edge file, Qcow2Header header) throws BlockException {
    BitmapTables bitmaps = BitmapTables.read(file, header);
    if (bitmaps.tables().isEmpty()) {
      return;
    }
    long offset = bitmaps.directoryOffset();
    for (BitmapTables.Table table : bitmaps.tables()) {
      Area area = new Area(table.offset(), Integer.toUnsignedLong(table.entries()) * Long.BYTES);
      bitmapTables.add(area);
      runs.add(new Run(area, offset));
      ByteBuffer head = ByteBuffer.wrap(HeapBytes.read(file, offset, BITMAP_HEAD_BYTES));
      long length = BITMAP_HEAD_BYTES + head.getInt(20) + (long) (head.getShort(18) & 0xffff);
      offset += length + Long.BYTES - 1 & -Long.BYTES;
    }
    Area directory = new Area(bitmaps.directoryOffset(), bitmaps.directoryBytes());
    runs.add(new Run(directory, directoryPointer(header)));
  }

  private static long directoryPointer(Qcow2Header header) {
    long at = header.headerBytes();
    for (HeaderExtension extension : header.extensions()) {
      if (extension.type() == HeaderExtension.BITMAPS) {
        return at + HeaderExtension.HEAD_BYTES + DIRECTORY_FIELD;
      }
      at += extension.paddedBytes();
    }
    throw new IllegalStateException("no bitmaps");
  }

  private void findSecondLevels(Edge file, Geometry geometry) throws BlockException {
    for (Area area : firstLevels) {
      forEachLong(
          file,
          area,
          (at, entry) -> {
            long table = Entry.offset(entry);
            if (table != 0) {
              secondLevels.set(Math.toIntExact(geometry.clusterIndex(table)));
            }
          });
    }
  }

  /** Told each number of a table and where it stands. */
  @FunctionalInterface
  interface Numbers {
    void number(long offset, long value) throws BlockException;
  }

  static void forEachLong(Edge file, Area area, Numbers numbers) throws BlockException {
    for (long done = 0; done < area.bytes(); done += READ_BYTES) {
      int length = (int) Math.min(READ_BYTES, area.bytes() - done);
      long[] values = HeapBytes.longs(HeapBytes.read(file, area.offset() + done, length));
      for (int i = 0; i < values.length; i++) {
        numbers.number(area.offset() + done + (long) i * Long.BYTES, values[i]);
      }
    }
  }
}

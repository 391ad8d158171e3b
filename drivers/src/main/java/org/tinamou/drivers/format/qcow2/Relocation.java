package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/**
 * Moves clusters of a file. At every moment both places of a cluster that is on its way are counted
 * as often as they are referred to, or more often: whatever interrupts it, at worst some clusters
 * are counted for nothing.
 */
final class Relocation {
  private static final int READ_BYTES = 1 << 20;

  private final Edge file;
  private final Geometry geometry;
  private final boolean external;
  private StoredCounts counts;

  /** The clusters that are taken. */
  private final BitSet used;

  private long moved;

  Relocation(Edge file, Qcow2Header header, StoredCounts counts, BitSet used) {
    this.file = file;
    this.geometry = header.geometry();
    this.external = header.hasFeature(Features.INCOMPATIBLE_DATA_FILE);
    this.counts = counts;
    this.used = used;
  }

  long moved() {
    return moved;
  }

  /**
   * Moves clusters to their new places, which are free and have blocks that count them.
   *
   * @param places where each is to go
   * @param references moves the references
   */
  void move(Map<Integer, Integer> places, References references) throws BlockException {
    move(places, references, Recoding.NONE);
  }

  private void move(Map<Integer, Integer> places, References references, Recoding recoding)
      throws BlockException {
    for (Map.Entry<Integer, Integer> each : places.entrySet()) {
      counts.set(each.getValue(), counts.get(each.getKey()));
      used.set(each.getValue());
    }
    file.flush();
    copy(places, recoding);
    file.flush();
    references.change(places);
    file.flush();
    for (int old : places.keySet()) {
      counts.set(old, 0);
      used.clear(old);
    }
    moved += places.size();
  }

  private void copy(Map<Integer, Integer> places, Recoding recoding) throws BlockException {
    for (Map.Entry<Integer, Integer> each : places.entrySet()) {
      copyCluster(
          (long) each.getKey() << geometry.clusterBits(),
          (long) each.getValue() << geometry.clusterBits(),
          recoding);
    }
  }

  private void copyCluster(long from, long to, Recoding recoding) throws BlockException {
    byte[] bytes = HeapBytes.read(file, from, geometry.clusterBytes());
    recoding.change(bytes, from, to);
    HeapBytes.write(file, to, bytes);
  }

  /** Makes the bytes of a cluster what they have to be at another offset. */
  @FunctionalInterface
  interface Recoding {
    Recoding NONE = (bytes, from, to) -> {};

    void change(byte[] bytes, long fromOffset, long toOffset);
  }

  /** The table of the counts has been moved. */
  void countsHaveMoved(Qcow2Header header) throws BlockException {
    counts = new StoredCounts(file, header, file.lengthBytes());
  }

  /** Changes what refers to clusters that have been copied. */
  @FunctionalInterface
  interface References {
    void change(Map<Integer, Integer> places) throws BlockException;
  }

  /** Changes entries of tables that hold plain offsets with flags. */
  void changeTable(TableList.Area area, Map<Integer, Integer> places) throws BlockException {
    change(area, Geometry.ENTRY_BYTES, places, false);
  }

  /** Changes the entries of second-level tables. */
  void changeSecondLevels(BitSet tables, Map<Integer, Integer> places) throws BlockException {
    if (external) {
      return;
    }
    for (int table = tables.nextSetBit(0); table >= 0; table = tables.nextSetBit(table + 1)) {
      TableList.Area area =
          new TableList.Area((long) table << geometry.clusterBits(), geometry.clusterBytes());
      change(area, geometry.secondLevelEntryBytes(), places, true);
    }
  }

  /** Writes just the sectors that change: each is there as a whole before or after. */
  private void change(
      TableList.Area area, int entryBytes, Map<Integer, Integer> places, boolean secondLevel)
      throws BlockException {
    for (long done = 0; done < area.bytes(); done += READ_BYTES) {
      int length = (int) Math.min(READ_BYTES, area.bytes() - done);
      byte[] bytes = HeapBytes.read(file, area.offset() + done, length);
      ByteBuffer entries = ByteBuffer.wrap(bytes);
      BitSet sectors = new BitSet();
      for (int at = 0; at < length; at += entryBytes) {
        long entry = entries.getLong(at);
        if (secondLevel && (entry & Entry.COMPRESSED) != 0 || Entry.offset(entry) == 0) {
          continue;
        }
        Integer place = places.get((int) geometry.clusterIndex(Entry.offset(entry)));
        if (place != null) {
          long offset = (long) place << geometry.clusterBits();
          entries.putLong(at, entry & ~Entry.OFFSET_MASK | offset);
          sectors.set(at >>> Entry.SECTOR_BITS);
        }
      }
      writeSectors(area.offset() + done, bytes, sectors);
    }
  }

  private void writeSectors(long offset, byte[] bytes, BitSet sectors) throws BlockException {
    writeSectors(file, offset, bytes, sectors);
  }

  static void writeSectors(Edge file, long offset, byte[] bytes, BitSet sectors)
      throws BlockException {
    int first = sectors.nextSetBit(0);
    while (first >= 0) {
      int end = sectors.nextClearBit(first);
      int from = first << Entry.SECTOR_BITS;
      int to = Math.min(bytes.length, end << Entry.SECTOR_BITS);
      HeapBytes.write(file, offset + from, Arrays.copyOfRange(bytes, from, to));
      first = sectors.nextSetBit(end);
    }
  }

  /**
   * Moves clusters in a row, to which one offset leads.
   *
   * @return false if there is no room in front of them
   */
  boolean moveRun(TableList.Run run) throws BlockException {
    int first = (int) geometry.clusterIndex(run.area().offset());
    int count = (int) geometry.clustersOf(run.area().bytes());
    int place = freeRun(count, first);
    if (place < 0) {
      return false;
    }
    Map<Integer, Integer> places = new HashMap<>();
    for (int i = 0; i < count; i++) {
      if (counts.get(first + i) != 1) {
        return false; // something else is in the same clusters
      }
      places.put(first + i, place + i);
    }
    byte[] pointer =
        ByteBuffer.allocate(Long.BYTES).putLong(0, (long) place << geometry.clusterBits()).array();
    move(places, none -> HeapBytes.write(file, run.pointerOffset(), pointer));
    return true;
  }

  /** The first of so many free clusters before another one, or -1. */
  private int freeRun(int count, int before) throws BlockException {
    int start = used.nextClearBit(1);
    while (start + count <= before) {
      int end = used.nextSetBit(start);
      if (end < 0 || end - start >= count) {
        return hasCounts(start, count) ? start : -1;
      }
      start = used.nextClearBit(end);
    }
    return -1;
  }

  private boolean hasCounts(int start, int count) throws BlockException {
    for (int i = 0; i < count; i++) {
      if (!counts.canSet(start + i)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Moves single clusters to the first free places, the last ones first.
   *
   * @param movable the clusters; those that have been moved stand at their new places afterwards
   * @param references moves the references
   * @param recoding what becomes of the bytes
   */
  void moveAll(
      BitSet movable, References references, Recoding recoding, int mostAtOnce, Progress progress)
      throws BlockException {
    int last = movable.previousSetBit(movable.length());
    int free = used.nextClearBit(1);
    while (last > free && free >= 0) {
      Map<Integer, Integer> places = new HashMap<>();
      while (last > free && places.size() < mostAtOnce) {
        if (!counts.canSet(free)) {
          if (!counts.addOwnBlock(free)) {
            free = used.nextClearBit(free + 1);
            continue;
          }
          used.set(free);
        } else {
          places.put(last, free);
          last = movable.previousSetBit(last - 1);
        }
        free = used.nextClearBit(free + 1);
      }
      move(places, references, recoding);
      places.forEach(
          (source, place) -> {
            movable.clear(source);
            movable.set(place);
          });
      progress.moved(moved);
      free = used.nextClearBit(1);
    }
  }

  /** Told how many clusters have been moved. */
  @FunctionalInterface
  interface Progress {
    void moved(long clusters);
  }

  /** Moves the blocks of the counts themselves. */
  void moveBlocks(Progress progress) throws BlockException {
    for (int index = counts.table().length - 1; index >= 0; index--) {
      int block = (int) geometry.clusterIndex(counts.table()[index] & Refcounts.OFFSET_MASK);
      int free = used.nextClearBit(1);
      if (block == 0 || free >= block || !counts.canSet(free)) {
        continue;
      }
      int entry = index;
      move(
          Map.of(block, free),
          places -> counts.moveBlock(entry, (long) free << geometry.clusterBits()));
      progress.moved(moved);
    }
  }
}

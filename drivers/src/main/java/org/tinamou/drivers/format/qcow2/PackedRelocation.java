package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/**
 * Moves packed data to free clusters in front of it, the last first: as many pieces in a row as
 * fit, as they lie, so that none needs more room than before. As with whole clusters, both places
 * are counted often enough while data is on its way.
 */
final class PackedRelocation {
  private static final int MOST_AT_ONCE = 1 << 16;
  private static final int MOST_BYTES = 2 << 20;

  /** Bytes that are copied as they are. */
  private record Copy(long from, long to, int bytes) {}

  private final Edge file;
  private final Geometry geometry;
  private final StoredCounts counts;
  private final BitSet used;
  private final BitSet tables;
  private final int lengthBits;

  /** All packed pieces: their offsets, and below these the bits that tell of their lengths. */
  private long[] pieces = new long[1024];

  private int last;

  /** How often each is referred to. */
  private int[] references = new int[0];

  // What the next step is to do.
  private final Map<Long, Long> entries = new HashMap<>();
  private final Map<Integer, Long> gained = new HashMap<>();
  private final Map<Integer, Long> lost = new HashMap<>();
  private final List<Copy> copies = new ArrayList<>();
  private long moved;

  /**
   * For the image in a file.
   *
   * @param used the clusters that are taken, kept up to date
   * @param tables the clusters of the second-level tables, which stay where they are
   */
  PackedRelocation(Edge file, Geometry geometry, StoredCounts counts, BitSet used, BitSet tables) {
    this.file = file;
    this.geometry = geometry;
    this.counts = counts;
    this.used = used;
    this.tables = tables;
    this.lengthBits = geometry.clusterBits() - Byte.SIZE;
  }

  /** Moves what can be moved, and returns how many pieces that were. */
  long moveAll(Relocation.Progress progress) throws BlockException {
    find();
    int free = 1;
    while (last > 0) {
      free = plan(free);
      if (entries.isEmpty()) {
        break;
      }
      move();
      progress.moved(moved);
    }
    return moved;
  }

  /** How many clusters could be spared at most if the pieces left no room between them. */
  long spareClusters() throws BlockException {
    find();
    BitSet touched = new BitSet();
    long bytes = 0;
    long reached = 0;
    for (int i = 0; i < last; i++) {
      bytes += Math.max(0, end(i) - Math.max(offset(i), reached));
      reached = Math.max(reached, end(i));
      touched.set(
          (int) geometry.clusterIndex(offset(i)), (int) geometry.clusterIndex(end(i) - 1) + 1);
    }
    return touched.cardinality() - geometry.clustersOf(bytes);
  }

  // -------------------------------------------------------------------------------------- finding

  @FunctionalInterface
  private interface PackedEntry {
    void at(long table, int index, long entry) throws BlockException;
  }

  private void forEachPacked(PackedEntry action) throws BlockException {
    for (int table = tables.nextSetBit(0); table >= 0; table = tables.nextSetBit(table + 1)) {
      long place = (long) table << geometry.clusterBits();
      ByteBuffer bytes = ByteBuffer.wrap(HeapBytes.read(file, place, geometry.clusterBytes()));
      for (int at = 0; at < bytes.limit(); at += geometry.secondLevelEntryBytes()) {
        long entry = bytes.getLong(at);
        if ((entry & Entry.COMPRESSED) != 0) {
          action.at(table, at, entry);
        }
      }
    }
  }

  private long piece(long entry) {
    long offset = Entry.compressedOffset(entry, geometry);
    long sectors = (end(entry) >>> Entry.SECTOR_BITS) - (offset >>> Entry.SECTOR_BITS) - 1;
    return offset << lengthBits | sectors;
  }

  private long end(long entry) {
    return Entry.compressedOffset(entry, geometry) + Entry.compressedBytes(entry, geometry);
  }

  private void find() throws BlockException {
    forEachPacked(
        (table, at, entry) -> {
          if (last == pieces.length) {
            pieces = Arrays.copyOf(pieces, 2 * last);
          }
          pieces[last++] = piece(entry);
        });
    Arrays.sort(pieces, 0, last);
    int kept = 0;
    for (int i = 0; i < last; i++) {
      if (i == 0 || pieces[i] != pieces[i - 1]) {
        pieces[kept++] = pieces[i];
      }
    }
    last = kept;
    references = new int[last];
    forEachPacked(
        (table, at, entry) ->
            references[Arrays.binarySearch(pieces, 0, last, piece(entry))] +=
                (int) counts.get(table));
  }

  private long offset(int index) {
    return pieces[index] >>> lengthBits;
  }

  private long end(int index) {
    long sectors = pieces[index] & (1L << lengthBits) - 1;
    return (offset(index) >>> Entry.SECTOR_BITS) + sectors + 1 << Entry.SECTOR_BITS;
  }

  // ------------------------------------------------------------------------------------- planning

  /** Fills holes from one on, and returns where to look for the next one. */
  private int plan(int from) throws BlockException {
    int hole = used.nextClearBit(from);
    while (last > 0
        && entries.size() < MOST_AT_ONCE
        && hole < geometry.clusterIndex(offset(last - 1))) {
      int clusters = holeClusters(hole);
      int first = clusters == 0 ? last : firstThatFits(hole, clusters);
      hole = used.nextClearBit(first < last ? fill(hole, first) : hole + Math.max(1, clusters));
    }
    return hole;
  }

  private int holeClusters(int hole) throws BlockException {
    int most = Math.max(2, MOST_BYTES >>> geometry.clusterBits());
    int clusters = 0;
    while (clusters < most && !used.get(hole + clusters) && counts.canSet(hole + clusters)) {
      clusters++;
    }
    return clusters;
  }

  /** The first piece of the last row that has room in a hole before it; {@link #last} if none. */
  private int firstThatFits(int hole, int clusters) {
    long start = (long) hole << geometry.clusterBits();
    long holeEnd = start + ((long) clusters << geometry.clusterBits());
    long end = end(last - 1);
    int first = last;
    while (first > 0) {
      long offset = offset(first - 1);
      boolean inRow = first == last || end(first - 1) >= offset(first);
      if (!inRow || offset < holeEnd || start + inSector(offset) + end - offset > holeEnd) {
        break;
      }
      first--;
    }
    while (first < last && !canBeCounted(start, first)) {
      first++;
    }
    return first;
  }

  private static long inSector(long offset) {
    return offset & (1 << Entry.SECTOR_BITS) - 1;
  }

  /** Whether no cluster of the hole would be referred to more often than its count can say. */
  private boolean canBeCounted(long start, int first) {
    long shift = start + inSector(offset(first)) - offset(first);
    Map<Integer, Long> wanted = new HashMap<>();
    for (int i = first; i < last; i++) {
      add(wanted, i, shift);
    }
    for (long count : wanted.values()) {
      if (Long.compareUnsigned(count, geometry.maxRefcount()) > 0) {
        return false;
      }
    }
    return true;
  }

  private void add(Map<Integer, Long> to, int index, long shift) {
    long lastCluster = geometry.clusterIndex(end(index) + shift - 1);
    for (long at = geometry.clusterIndex(offset(index) + shift); at <= lastCluster; at++) {
      to.merge((int) at, (long) references[index], Long::sum);
    }
  }

  /** Plans to move the pieces from one on to a hole, and returns the cluster behind them there. */
  private int fill(int hole, int first) {
    long target = ((long) hole << geometry.clusterBits()) + inSector(offset(first));
    long shift = target - offset(first);
    for (int i = first; i < last; i++) {
      entries.put(pieces[i], shift);
      add(gained, i, shift);
      add(lost, i, 0);
    }
    long end = end(last - 1);
    copies.add(new Copy(offset(first), target, (int) (end - offset(first))));
    int behind = (int) geometry.clusterIndex(end + shift - 1) + 1;
    used.set(hole, behind);
    last = first;
    return behind;
  }

  // --------------------------------------------------------------------------------------- moving

  private void move() throws BlockException {
    for (Map.Entry<Integer, Long> each : gained.entrySet()) {
      counts.set(each.getKey(), each.getValue());
    }
    file.flush();
    for (Copy copy : copies) {
      HeapBytes.write(file, copy.to(), HeapBytes.read(file, copy.from(), copy.bytes()));
    }
    file.flush();
    changeEntries();
    file.flush();
    for (Map.Entry<Integer, Long> each : lost.entrySet()) {
      long left = counts.get(each.getKey()) - each.getValue();
      counts.set(each.getKey(), left);
      if (left == 0) {
        used.clear(each.getKey());
      }
    }
    moved += entries.size();
    entries.clear();
    gained.clear();
    lost.clear();
    copies.clear();
  }

  private void changeEntries() throws BlockException {
    for (int table = tables.nextSetBit(0); table >= 0; table = tables.nextSetBit(table + 1)) {
      long place = (long) table << geometry.clusterBits();
      byte[] bytes = HeapBytes.read(file, place, geometry.clusterBytes());
      ByteBuffer all = ByteBuffer.wrap(bytes);
      BitSet sectors = new BitSet();
      for (int at = 0; at < bytes.length; at += geometry.secondLevelEntryBytes()) {
        long entry = all.getLong(at);
        Long shift = (entry & Entry.COMPRESSED) == 0 ? null : entries.get(piece(entry));
        if (shift != null) {
          all.putLong(at, entry + shift); // no piece is longer or shorter than before
          sectors.set(at >>> Entry.SECTOR_BITS);
        }
      }
      Relocation.writeSectors(file, place, bytes, sectors);
    }
  }
}

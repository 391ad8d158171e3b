package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.CompactableImage.Compaction;
import org.tinamou.drivers.CompactableImage.Watcher;
import org.tinamou.drivers.HeapBytes;

/**
 * Makes an image smaller in its own file. Works on the file alone: whatever an open image keeps in
 * memory has to be written back before, and is worth nothing afterwards.
 *
 * <p>First what reads as zeroes loses its clusters, then counts become what they have to be; then
 * the clusters move to the front, those with data first and the tables after them, and the file is
 * cut. An image of version 3 says meanwhile that its counts have to be repaired; but for flags that
 * do not matter for the data, they are never too low.
 */
final class Compactor {
  private static final int MOST_AT_ONCE = 1 << 16;
  private static final int SECTOR_BYTES = 512;
  private static final long NOWHERE = -1;

  private final Edge file;
  private final boolean hasBacking;
  private final @Nullable Encryption encryption;
  private final Watcher watcher;
  private final Qcow2Header header;
  private final Geometry geometry;
  private final boolean external;
  private final BitSet zeroes = new BitSet();

  private Compactor(Edge file, boolean hasBacking, @Nullable Encryption encryption, Watcher watcher)
      throws BlockException {
    this.file = file;
    this.encryption = encryption;
    this.hasBacking = hasBacking;
    this.watcher = watcher;
    this.header = Qcow2Type.readHeader(file);
    this.geometry = header.geometry();
    this.external = header.hasFeature(Features.INCOMPATIBLE_DATA_FILE);
  }

  /**
   * Compacts the image in a file.
   *
   * @param hasBacking whether what is not allocated is that of another image
   * @param encryption of the data, with the keys unless it only tries: without them zeroes in
   *     clusters of data are not told from other data
   * @param tryOnly whether to find out only what it would do
   */
  @InCoroutine
  static Compaction compact(
      Edge file,
      boolean hasBacking,
      @Nullable Encryption encryption,
      boolean tryOnly,
      Watcher watcher)
      throws BlockException {
    return new Compactor(file, hasBacking, encryption, watcher).run(tryOnly);
  }

  private Compaction run(boolean tryOnly) throws BlockException {
    long before = file.lengthBytes();
    if (geometry.clustersOf(before) >= Integer.MAX_VALUE) {
      throw new BlockException(Errno.EFBIG, "The file has too many clusters to be compacted");
    }
    CheckReport report = ImageChecker.check(file, header, CheckRepair.NONE, line -> {}, null);
    if (report.checkErrors() > 0 || report.corruptions() > 0) {
      throw new BlockException(Errno.EINVAL, "The image is damaged and cannot be compacted")
          .withHint("'check -r all' repairs it.");
    }
    if (header.hasFeature(Features.INCOMPATIBLE_CORRUPT)) {
      throw new BlockException(Errno.EINVAL, "The image is marked as corrupt")
          .withHint("'check -r all' repairs it.");
    }
    if (tryOnly) {
      dropZeroes(true);
      long after = leastBytes(report.leaks() + zeroes.cardinality());
      return new Compaction(
          before, Math.min(before, after), report.leaks(), zeroes.cardinality(), 0);
    }
    setDirty(true);
    dropZeroes(false);
    file.flush();
    repair();
    long moved = move();
    cut();
    setDirty(false);
    return new Compaction(before, file.lengthBytes(), report.leaks(), zeroes.cardinality(), moved);
  }

  private void setDirty(boolean dirty) throws BlockException {
    if (header.isVersion3()) {
      file.flush();
      long others = header.incompatible() & ~Features.INCOMPATIBLE_DIRTY;
      HeaderFields.writeIncompatible(file, others | (dirty ? Features.INCOMPATIBLE_DIRTY : 0));
    }
  }

  private void repair() throws BlockException {
    CheckReport report =
        ImageChecker.check(file, Qcow2Type.readHeader(file), CheckRepair.ALL, line -> {}, null);
    if (report.checkErrors() > 0 || report.corruptions() > report.corruptionsFixed()) {
      throw new BlockException(
          Errno.EIO, "The counts of the image could not be brought up to date");
    }
  }

  // ------------------------------------------------------------------------------------ zeroes

  private void dropZeroes(boolean tryOnly) throws BlockException {
    TableList list = TableList.read(file, header);
    Map<Integer, Long> starts = starts(list);
    BitSet tables = list.secondLevels();
    int total = tables.cardinality();
    int done = 0;
    for (int table = tables.nextSetBit(0); table >= 0; table = tables.nextSetBit(table + 1)) {
      long start = starts.getOrDefault(table, NOWHERE);
      dropZeroes((long) table << geometry.clusterBits(), start, tryOnly);
      watcher.progress("looking for zeroes", ++done, total);
    }
  }

  /** Where in the disk the clusters of each second-level table begin, if that matters. */
  private Map<Integer, Long> starts(TableList list) throws BlockException {
    Map<Integer, Long> starts = new HashMap<>();
    if (encryption == null || !encryption.isByGuestOffset()) {
      return starts;
    }
    for (TableList.Area area : list.firstLevels()) {
      TableList.forEachLong(
          file,
          area,
          (at, entry) -> {
            long start = (at - area.offset()) / Geometry.ENTRY_BYTES * geometry.bytesPerTable();
            int table = (int) geometry.clusterIndex(Entry.offset(entry));
            Long known = starts.putIfAbsent(table, start);
            if (known != null && known != start) {
              starts.put(table, NOWHERE); // nobody knows what its data is encrypted for
            }
          });
    }
    return starts;
  }

  private void dropZeroes(long table, long start, boolean tryOnly) throws BlockException {
    byte[] bytes = HeapBytes.read(file, table, geometry.clusterBytes());
    ByteBuffer entries = ByteBuffer.wrap(bytes);
    BitSet sectors = new BitSet();
    for (int at = 0; at < bytes.length; at += geometry.secondLevelEntryBytes()) {
      long entry = entries.getLong(at);
      long parts = geometry.extended() ? entries.getLong(at + Long.BYTES) : 0;
      if ((entry & Entry.COMPRESSED) != 0 || Entry.offset(entry) == 0 || external) {
        continue;
      }
      long index = at / geometry.secondLevelEntryBytes();
      long guest = start == NOWHERE ? NOWHERE : start + (index << geometry.clusterBits());
      if (!isZero(entry, parts, guest)) {
        continue;
      }
      zeroes.set((int) geometry.clusterIndex(Entry.offset(entry)));
      if (geometry.extended()) {
        long zero = parts << Parts.COUNT | parts & Parts.ALL_ZERO;
        entries.putLong(at, 0).putLong(at + Long.BYTES, zero);
      } else {
        entries.putLong(at, header.isVersion3() ? Entry.ZERO : 0);
      }
      sectors.set(at / SECTOR_BYTES);
    }
    if (!tryOnly) {
      Relocation.writeSectors(file, table, bytes, sectors);
    }
  }

  private boolean isZero(long entry, long parts, long guest) throws BlockException {
    if (!header.isVersion3() && hasBacking) {
      return false;
    }
    if (geometry.extended() ? Parts.endAllocated(parts) == 0 : (entry & Entry.ZERO) != 0) {
      return true;
    }
    byte[] data = HeapBytes.read(file, Entry.offset(entry), geometry.clusterBytes());
    if (header.encryption() != 0) {
      if (encryption == null
          || !encryption.hasKey()
          || (encryption.isByGuestOffset() && guest == NOWHERE)) {
        return false;
      }
      encryption.decrypt(data, guest, Entry.offset(entry));
    }
    if (!geometry.extended()) {
      return isZero(data, 0, data.length);
    }
    for (int part = 0; part < Parts.COUNT; part++) {
      int at = part * geometry.partBytes();
      if (Parts.kind(parts, part) == Parts.Kind.ALLOCATED
          && !isZero(data, at, at + geometry.partBytes())) {
        return false;
      }
    }
    return true;
  }

  private static boolean isZero(byte[] bytes, int from, int to) {
    MemorySegment zeroes = MemorySegment.ofArray(new byte[to - from]);
    return MemorySegment.ofArray(bytes).asSlice(from, to - from).mismatch(zeroes) < 0;
  }

  // ------------------------------------------------------------------------------------- places

  private BitSet used(StoredCounts counts) throws BlockException {
    BitSet used = new BitSet();
    long clusters = geometry.clustersOf(file.lengthBytes());
    for (long cluster = counts.nextCounted(0); cluster < clusters; ) {
      if (counts.get(cluster) != 0) {
        used.set((int) cluster);
      }
      cluster = counts.nextCounted(cluster + 1);
    }
    return used;
  }

  /** The clusters of data that is not packed. */
  private BitSet clusters(TableList tables) throws BlockException {
    BitSet clusters = new BitSet();
    BitSet seconds = tables.secondLevels();
    for (int table = seconds.nextSetBit(0); table >= 0; table = seconds.nextSetBit(table + 1)) {
      long place = (long) table << geometry.clusterBits();
      ByteBuffer entries = ByteBuffer.wrap(HeapBytes.read(file, place, geometry.clusterBytes()));
      for (int at = 0; at < entries.limit(); at += geometry.secondLevelEntryBytes()) {
        long entry = entries.getLong(at);
        if ((entry & Entry.COMPRESSED) == 0 && !external && Entry.offset(entry) != 0) {
          clusters.set((int) geometry.clusterIndex(Entry.offset(entry)));
        }
      }
    }
    return clusters;
  }

  private long leastBytes(long dropped) throws BlockException {
    StoredCounts counts = new StoredCounts(file, header, file.lengthBytes());
    BitSet used = used(counts);
    BitSet seconds = TableList.read(file, header).secondLevels();
    long spare = new PackedRelocation(file, geometry, counts, used, seconds).spareClusters();
    long needed = Math.max(1, used.cardinality() - dropped - spare);
    long blocks =
        Arrays.stream(counts.table()).filter(entry -> (entry & Refcounts.OFFSET_MASK) != 0).count();
    // Blocks that count what is behind the end go, too.
    long unneeded = blocks - Math.ceilDiv(needed, (long) geometry.refcountsPerBlock());
    return Math.max(1, needed - Math.max(0, unneeded)) << geometry.clusterBits();
  }

  private long move() throws BlockException {
    Qcow2Header now = Qcow2Type.readHeader(file);
    StoredCounts counts = new StoredCounts(file, now, file.lengthBytes());
    BitSet used = used(counts);
    Relocation relocation = new Relocation(file, now, counts, used);
    long total = used.cardinality();
    Relocation.Progress progress =
        moved -> watcher.progress("moving", Math.min(moved, total), total);
    TableList tables = TableList.read(file, now);
    BitSet seconds = tables.secondLevels();
    long packed = new PackedRelocation(file, geometry, counts, used, seconds).moveAll(progress);
    relocation.moveAll(
        clusters(tables),
        places -> relocation.changeSecondLevels(seconds, places),
        encryption == null ? Relocation.Recoding.NONE : encryption::move,
        MOST_AT_ONCE,
        progress);
    relocation.moveAll(
        bits(tables),
        places -> changeTables(relocation, tables.bitmapTables(), places),
        Relocation.Recoding.NONE,
        MOST_AT_ONCE,
        progress);
    relocation.moveAll(
        seconds,
        places -> changeTables(relocation, tables.firstLevels(), places),
        Relocation.Recoding.NONE,
        MOST_AT_ONCE,
        progress);
    moveRuns(relocation);
    relocation.moveBlocks(progress);
    return packed + relocation.moved();
  }

  private static void changeTables(
      Relocation relocation, Iterable<TableList.Area> areas, Map<Integer, Integer> places)
      throws BlockException {
    for (TableList.Area area : areas) {
      relocation.changeTable(area, places);
    }
  }

  private BitSet bits(TableList tables) throws BlockException {
    BitSet bits = new BitSet();
    for (TableList.Area area : tables.bitmapTables()) {
      TableList.forEachLong(
          file,
          area,
          (at, entry) -> {
            if (Entry.offset(entry) != 0) {
              bits.set((int) geometry.clusterIndex(Entry.offset(entry)));
            }
          });
    }
    return bits;
  }

  /** Each run may hold the offset of another one, so that all are looked for again each time. */
  private void moveRuns(Relocation relocation) throws BlockException {
    Map<Integer, Boolean> tried = new HashMap<>();
    int index = 0;
    while (true) {
      Qcow2Header now = Qcow2Type.readHeader(file);
      TableList tables = TableList.read(file, now);
      if (index == tables.runs().size()) {
        return;
      }
      TableList.Run run = tables.runs().get(index);
      boolean countsMove = run.area().offset() == now.refcountTableOffset();
      if (tried.putIfAbsent(index, true) == null) {
        if (relocation.moveRun(run) && countsMove) {
          relocation.countsHaveMoved(Qcow2Type.readHeader(file));
        }
      }
      index++;
    }
  }

  /** Drops blocks of counts behind the end, and then what is behind the last cluster. */
  private void cut() throws BlockException {
    Qcow2Header now = Qcow2Type.readHeader(file);
    StoredCounts counts = new StoredCounts(file, now, file.lengthBytes());
    for (int index = counts.table().length - 1; index > 0; index--) {
      counts.dropIfEmpty(index);
    }
    file.flush();
    long end = Math.max(1, used(counts).length());
    long bytes = end << geometry.clusterBits();
    if (bytes < file.lengthBytes()) {
      file.truncate(bytes, true, PreallocationMode.OFF);
      file.flush();
    }
  }
}

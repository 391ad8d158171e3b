package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/**
 * An open image's tables, and the order in which they reach the disk.
 *
 * <p>A second-level entry is written after the data it points to and the count of its cluster are
 * stable; a first-level entry after the table it points to; a count is lowered after the tables
 * that referred to the cluster. So whatever a crash cuts off, every reference that is found leads
 * to a counted cluster with its data: at worst some clusters are counted that nothing refers to.
 */
final class Qcow2Image {
  /**
   * What an image has besides its disk.
   *
   * @param data the file that the guest's clusters are in, if that is another one
   * @param encryption how the guest's clusters are encrypted, if they are
   * @param writable whether the image is open for writing
   * @param diagnostics told of damage
   * @param announcer the same for programs
   */
  record Extras(
      SnapshotTable snapshots,
      BitmapTables bitmaps,
      @Nullable Edge data,
      @Nullable Encryption encryption,
      boolean writable,
      Consumer<String> diagnostics,
      Damage.Announcer announcer) {}

  static final int MAX_FIRST_LEVEL_ENTRIES =
      Qcow2Header.MAX_FIRST_LEVEL_BYTES / Geometry.ENTRY_BYTES;

  /** So many references may wait to be dropped until somebody flushes. */
  private static final int MAX_RELEASED = 16_384;

  private final Edge file;
  private volatile @Nullable Edge backing;
  private final Geometry geometry;
  private final CoMutex metadata = new CoMutex("qcow2 metadata");
  private final UseEpochs uses = new UseEpochs();
  private final Extras extras;
  private SnapshotTable snapshots;
  private BitmapTables bitmaps;
  private final Damage damage;
  private final MetadataGuard guard;
  private final TableCache slices;
  private final TableCache blocks;
  private final Refcounts refcounts;
  private final ClusterAllocator allocator;
  private final ClusterMap map;
  private final int version;
  private volatile RuntimeOptions options;
  private volatile long sizeBytes;
  private long incompatible;

  private volatile @Nullable BackingWords backingWords;
  private volatile boolean backingChanged;
  private boolean writable;
  private volatile boolean wantsWrites;
  private boolean retired;

  /** A change of many counts has begun and has not ended: if it failed, they need a repair. */
  private boolean restructuring;

  /** Data or counts that entries in memory rely on may not be stable yet. */
  private boolean unstable;

  Qcow2Image(
      Edge file,
      @Nullable Edge backing,
      Qcow2Header header,
      RuntimeOptions options,
      Extras extras,
      long fileBytes)
      throws BlockException {
    this.file = file;
    this.backing = backing;
    this.geometry = header.geometry();
    this.version = header.version();
    this.sizeBytes = header.sizeBytes();
    this.incompatible = header.incompatible();
    this.options = options;
    CacheSizes caches = options.caches();
    long[] refcountTable = Refcounts.readTable(file, header);
    long[] firstLevel = ClusterMap.readFirstLevel(file, header);
    this.slices = new TableCache(file, caches.sliceBytes(), caches.slices(), this::beforeSlices);
    this.extras = extras;
    this.writable = extras.writable();
    this.wantsWrites = writable;
    this.snapshots = extras.snapshots();
    this.bitmaps = extras.bitmaps();
    this.damage =
        new Damage(extras.writable(), extras.diagnostics(), extras.announcer(), this::markCorrupt);
    this.guard = new MetadataGuard(new MetadataMap(geometry, options.overlapChecks()), damage);
    this.blocks =
        TableCache.ofCounts(
            file, geometry.clusterBytes(), caches.refcountBlocks(), this::checkTablesWritable);
    this.refcounts =
        new Refcounts(file, geometry, blocks, guard, header.refcountTableOffset(), refcountTable);
    this.allocator =
        new ClusterAllocator(refcounts, geometry, guard, options.passedOn(), fileBytes);
    this.map =
        new ClusterMap(file, geometry, slices, allocator, this::linked, guard, header, firstLevel);
    noteMetadata();
  }

  /** Keeps writes away from the tables as they are now. */
  void noteMetadata() throws BlockException {
    if (!writable) {
      return;
    }
    MetadataMap parts = guard.parts();
    parts.clear();
    parts.add(MetadataMap.Part.HEADER, 0, geometry.clusterBytes());
    long entryBytes = Geometry.ENTRY_BYTES;
    parts.add(
        MetadataMap.Part.ACTIVE_FIRST_LEVEL,
        map.firstLevelOffset(),
        map.firstLevel().length * entryBytes);
    parts.add(
        MetadataMap.Part.REFCOUNT_TABLE,
        refcounts.tableOffset(),
        refcounts.table().length * entryBytes);
    parts.add(MetadataMap.Part.SNAPSHOT_TABLE, snapshots.offset(), snapshots.lengthBytes());
    for (SnapshotTable.Snapshot snapshot : snapshots.snapshots()) {
      noteInactive(snapshot);
    }
    parts.add(
        MetadataMap.Part.BITMAP_DIRECTORY, bitmaps.directoryOffset(), bitmaps.directoryBytes());
    for (long entry : map.firstLevel()) {
      parts.addTable(Entry.offset(entry));
    }
    for (long entry : refcounts.table()) {
      parts.addBlock(entry & Refcounts.OFFSET_MASK);
    }
  }

  private void noteInactive(SnapshotTable.Snapshot snapshot) throws BlockException {
    MetadataMap parts = guard.parts();
    if (parts.checks(MetadataMap.Part.INACTIVE_SECOND_LEVEL)) {
      try {
        Snapshots.checkTable(this, snapshot);
      } catch (BlockException e) {
        parts.lacks(e);
        return;
      }
      for (long entry : Snapshots.tableOf(this, snapshot)) {
        parts.addInactiveTable(Entry.offset(entry));
      }
    }
    parts.add(
        MetadataMap.Part.INACTIVE_FIRST_LEVEL,
        snapshot.firstLevelOffset(),
        Integer.toUnsignedLong(snapshot.firstLevelEntries()) * Geometry.ENTRY_BYTES);
  }

  private void markCorrupt() throws BlockException {
    if (isVersion3()) {
      changeIncompatible(Features.INCOMPATIBLE_CORRUPT, 0);
    }
  }

  Damage damage() {
    return damage;
  }

  MetadataGuard guard() {
    return guard;
  }

  Edge file() {
    return file;
  }

  /** Where the guest's clusters are. */
  Edge data() {
    Edge apart = extras.data();
    return apart == null ? file : apart;
  }

  /** How they are encrypted, or null. */
  @Nullable Encryption encryption() {
    return extras.encryption();
  }

  /** Whether they are in a file of their own, where each has the guest's offset. */
  boolean isExternal() {
    return extras.data() != null;
  }

  @Nullable Edge backing() {
    return backing;
  }

  /** Another image below from now on, or none. The node is drained. */
  void showBelow(@Nullable Edge edge) {
    backing = edge;
    backingChanged = true;
  }

  /** The image names another one below from now on. */
  void named(BackingWords words) {
    backingWords = words;
    backingChanged = true;
  }

  /** How the image names the one below since it was opened; null if as in the header. */
  @Nullable BackingWords backingWords() {
    return backingWords;
  }

  /** Whether what is below need not be what was named there when the image was opened. */
  boolean isBackingChanged() {
    return backingChanged;
  }

  /** The features without which nobody may use the image. */
  long incompatible() {
    return incompatible;
  }

  /** Whether it is to be written to, once what is planned has been done. */
  boolean wantsWrites() {
    return wantsWrites;
  }

  void wantWrites(boolean wanted) {
    wantsWrites = wanted;
  }

  boolean isWritable() {
    return writable;
  }

  /** Whether the image may be written to from now on. The node is drained. */
  void setWritable(boolean mayBeWritten) throws BlockException {
    writable = mayBeWritten;
    damage.setWritable(mayBeWritten);
    noteMetadata();
  }

  Geometry geometry() {
    return geometry;
  }

  boolean isVersion3() {
    return version >= 3;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  /** Where the machine's memory is kept, behind the disk. */
  long vmStateOffset() {
    return geometry.firstLevelEntries(sizeBytes) * geometry.bytesPerTable();
  }

  CoMutex metadata() {
    return metadata;
  }

  UseEpochs uses() {
    return uses;
  }

  ClusterMap map() {
    return map;
  }

  ClusterAllocator allocator() {
    return allocator;
  }

  Refcounts refcounts() {
    return refcounts;
  }

  /** An entry now points to data that may not be stable. The caller holds the metadata lock. */
  void linked() {
    unstable = true;
  }

  private void beforeSlices() throws BlockException {
    guard.parts().requireComplete();
    stabilise();
  }

  private void checkTablesWritable() throws BlockException {
    damage.check();
    guard.parts().requireComplete();
  }

  /** What second-level entries rely on becomes stable. */
  void stabilise() throws BlockException {
    damage.check();
    if (!unstable) {
      return;
    }
    if (!options.lazyRefcounts()) {
      refcounts.writeBack();
    }
    flushFiles();
    unstable = false;
  }

  private void flushFiles() throws BlockException {
    for (Edge each : isExternal() ? List.of(file, data()) : List.of(file)) {
      each.flush();
    }
  }

  /** Brings all tables to the file. The caller holds the metadata lock. */
  @InCoroutine
  void writeBack() throws BlockException {
    damage.check();
    if (retired) {
      return;
    }
    int released = allocator.releasedCount();
    map.writeBackSlices();
    if (map.hasDirtyFirstLevel()) {
      file.flush();
      map.writeBackFirstLevel();
    }
    if (released > 0) {
      file.flush();
      uses.awaitEarlier();
      allocator.dropReleased(released);
    }
    refcounts.writeBack();
    if (allocator.hasUnwanted()) {
      if (released == 0) {
        file.flush();
      }
      allocator.discardUnwanted(file);
    }
  }

  RuntimeOptions options() {
    return options;
  }

  /** Other options from now on. Drained; tables are written back if they are kept otherwise. */
  void become(RuntimeOptions next) throws BlockException {
    CacheSizes sizes = next.caches();
    slices.resize(sizes.sliceBytes(), sizes.slices());
    blocks.resize(geometry.clusterBytes(), sizes.refcountBlocks());
    allocator.passOn(next.passedOn());
    guard.parts().check(next.overlapChecks());
    options = next;
    noteMetadata();
  }

  /** Keeps the number of references that wait to be dropped within bounds. */
  void limitReleased() throws BlockException {
    if (allocator.releasedCount() > MAX_RELEASED) {
      writeBack();
    }
  }

  /** Makes room for a size, which the image does not have yet. The caller holds the lock. */
  void makeRoomFor(long newSizeBytes) throws BlockException {
    long entries = geometry.firstLevelEntries(newSizeBytes);
    if (entries > MAX_FIRST_LEVEL_ENTRIES) {
      throw BlockException.of(Errno.EFBIG, "Failed to grow the L1 table");
    }
    if (entries > map.firstLevel().length) {
      writeBack();
      map.grow(
          Math.toIntExact(entries),
          () -> {
            refcounts.writeBack();
            file.flush();
          });
    }
  }

  /** Changes the size that the header tells. The caller holds the metadata lock. */
  void changeSize(long newSizeBytes) throws BlockException {
    makeRoomFor(newSizeBytes);
    ByteBuffer field = ByteBuffer.allocate(Long.BYTES).putLong(0, newSizeBytes);
    HeaderFields.write(file, damage, HeaderFields.SIZE_FIELD, field.array());
    sizeBytes = newSizeBytes;
  }

  /** Sets or clears bits in the header that forbid others to open the image as it is. */
  void changeIncompatible(long set, long clear) throws BlockException {
    long changed = (incompatible | set) & ~clear;
    if (changed != incompatible) {
      byte[] field = ByteBuffer.allocate(Long.BYTES).putLong(0, changed).array();
      HeaderFields.write(file, damage, HeaderFields.INCOMPATIBLE_FIELD, field);
      incompatible = changed;
    }
  }

  /** What the image keeps of bitmaps. */
  BitmapTables bitmaps() {
    return bitmaps;
  }

  /** The directory is another one, or says something else. */
  void replaceBitmaps(BitmapTables tables) throws BlockException {
    bitmaps = tables;
    noteMetadata();
  }

  /** Takes a directory that is on the disk into the header. */
  void publishBitmaps(BitmapTables tables) throws BlockException {
    BitmapPublication.publish(this, tables);
    replaceBitmaps(tables);
  }

  /**
   * Changes the header; it is on the disk when this returns.
   *
   * @throws BlockException with ENOSPC if it would not fit into a cluster
   */
  void rewriteHeader(UnaryOperator<Qcow2Header> change) throws BlockException {
    Qcow2Header before = Qcow2Type.readHeader(file);
    Qcow2Header after = change.apply(before);
    byte[] bytes = after.serialise();
    if (bytes == null) {
      // Nobody needs the names of the features.
      after = after.with(after.extensionsWithout(HeaderExtension.FEATURE_NAMES), after.autoclear());
      bytes = after.serialise();
    }
    if (bytes == null) {
      throw BlockException.of(Errno.ENOSPC, "the header does not fit into a cluster");
    }
    int known = Qcow2Header.FULL_BYTES;
    if (after.headerBytes() > known && before.headerBytes() == after.headerBytes()) {
      // Fields that nobody knows stay as they are.
      byte[] unknown = HeapBytes.read(file, known, after.headerBytes() - known);
      System.arraycopy(unknown, 0, bytes, known, unknown.length);
    }
    HeaderFields.rewrite(file, before, after, bytes);
  }

  SnapshotTable snapshots() {
    return snapshots;
  }

  /** The image is marked while counts and flags do not fit each other. */
  void beginRestructuring() throws BlockException {
    writeBack();
    restructuring = true;
    if (isVersion3()) {
      changeIncompatible(Features.INCOMPATIBLE_DIRTY, 0);
    }
  }

  /** Everything fits again. */
  void endRestructuring() throws BlockException {
    writeBack();
    file.flush();
    if (isVersion3()) {
      changeIncompatible(0, Features.INCOMPATIBLE_DIRTY);
    }
    restructuring = false;
    noteMetadata();
  }

  /** Counts and data that a table which is to come refers to are on the disk. */
  void stabiliseCounts() throws BlockException {
    refcounts.writeBack();
    file.flush();
  }

  /** Takes other snapshots into the header; they are on the disk when this returns. */
  void replaceSnapshots(List<SnapshotTable.Snapshot> wanted) throws BlockException {
    byte[] bytes = SnapshotTable.serialise(wanted);
    long offset = 0;
    if (bytes.length > 0) {
      long clusters = geometry.clustersOf(bytes.length);
      offset = allocator.allocateContiguous(clusters).firstCluster() << geometry.clusterBits();
      HeapBytes.write(file, offset, bytes);
    }
    stabiliseCounts();
    ByteBuffer fields = ByteBuffer.allocate(Integer.BYTES + Long.BYTES);
    fields.putInt(wanted.size()).putLong(offset);
    HeaderFields.write(file, damage, HeaderFields.SNAPSHOT_FIELDS, fields.array());
    SnapshotTable before = snapshots;
    snapshots = new SnapshotTable(List.copyOf(wanted), offset, bytes.length);
    noteMetadata(); // whatever fails from here on, the old table's place is free
    allocator.takeBack(
        geometry.clusterIndex(before.offset()), geometry.clustersOf(before.lengthBytes()));
  }

  /**
   * Switches to another first level, and size, in one write. What it refers to is counted and on
   * the disk, and so is it when this returns.
   */
  void switchDisk(long firstLevelOffset, long[] entries, long newSizeBytes) throws BlockException {
    ByteBuffer fields = ByteBuffer.allocate(3 * Long.BYTES).putLong(newSizeBytes);
    fields.putInt(Qcow2Type.readHeader(file).encryption()); // which lies between the others
    fields.putInt(entries.length).putLong(firstLevelOffset);
    HeaderFields.write(file, damage, HeaderFields.SIZE_FIELD, fields.array());
    map.switchTo(firstLevelOffset, entries);
    sizeBytes = newSizeBytes;
    noteMetadata();
  }

  /** Before counts lag behind for the first time, the image says so. */
  void beforeLazyChange() throws BlockException {
    if (options.lazyRefcounts() && (incompatible & Features.INCOMPATIBLE_DIRTY) == 0) {
      changeIncompatible(Features.INCOMPATIBLE_DIRTY, 0);
    }
  }

  /** What is in memory does not describe the image any more: nothing of it is written. */
  void retire() {
    retired = true;
  }

  boolean isRetired() {
    return retired;
  }

  /** Everything to the disk, and no sign left that it was in use. */
  void finish() throws BlockException {
    if (damage.isFatal() || retired) {
      return;
    }
    writeBack();
    allocator.reachEnd(file);
    flushFiles();
    if (isVersion3() && !restructuring) {
      changeIncompatible(0, Features.INCOMPATIBLE_DIRTY);
    }
  }

  /**
   * Checks the image; see {@link ImageChecker}. The caller holds the metadata lock.
   *
   * @param repair only of an image that may be written to
   */
  @InCoroutine
  CheckReport check(CheckRepair repair, Consumer<String> lines) throws BlockException {
    writeBack();
    Qcow2Header header = Qcow2Type.readHeader(file);
    List<List<SnapshotTable.Snapshot>> good = new ArrayList<>();
    CheckReport report = ImageChecker.check(file, header, repair, lines, good::add);
    if (repair != CheckRepair.NONE) {
      slices.forgetAll();
      blocks.forgetAll();
      header = Qcow2Type.readHeader(file);
      refcounts.reload(header.refcountTableOffset(), Refcounts.readTable(file, header));
      map.reload(ClusterMap.readFirstLevel(file, header));
      noteMetadata();
      if (!good.isEmpty()) {
        replaceSnapshots(good.getLast());
        writeBack();
      }
      if (isVersion3() && report.corruptions() == report.corruptionsFixed()) {
        changeIncompatible(0, Features.INCOMPATIBLE_CORRUPT | Features.INCOMPATIBLE_DIRTY);
      }
    }
    return report;
  }

  void close() {
    slices.close();
    blocks.close();
    Encryption encryption = extras.encryption();
    if (encryption != null) {
      encryption.close();
    }
  }
}

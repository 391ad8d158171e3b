package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.block.CopyRange;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.ZeroMemory;
import org.tinamou.drivers.AmendableImage;
import org.tinamou.drivers.CompactableImage;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.InternalSnapshots;
import org.tinamou.drivers.MemoryPool;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.drivers.PackingImage;
import org.tinamou.drivers.PersistentBitmaps;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionValues;

/** A node that shows a qcow2 image. */
public final class Qcow2Driver
    implements BlockDriver.WriteCache,
        BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.RangeCopier,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.PermissionMapper,
        BlockDriver.Checkable,
        BlockDriver.Reopenable,
        BlockDriver.Named,
        InternalSnapshots,
        PersistentBitmaps,
        OverlayImage,
        AmendableImage,
        CompactableImage,
        PackingImage,
        ImageDescription.Source {
  private static final int SECTOR_BYTES = 512;
  private final BlockNode node;
  private final Qcow2Image image;
  private final Qcow2Header header;
  private final Geometry geometry;
  private final MemoryPool unpacked;
  private final MemoryPool packed;
  private final MemoryPool packedRows;
  private final MemoryPool surroundings;
  private final ClusterCodec codec;
  private final ReadPath reads;
  private final WritePath writes;
  private final PackedWrites packedWrites;
  private final ClearPath clears;
  private final ZeroPath zeroes;
  private final BitmapStore bitmaps;
  private final StatusPath status;
  private final CacheCleaner cleaner;

  Qcow2Driver(BlockNode node, Qcow2Image image, Qcow2Header header) {
    this.node = node;
    this.image = image;
    this.header = header;
    this.geometry = image.geometry();
    this.unpacked = new MemoryPool(geometry.clusterBytes());
    this.packed = new MemoryPool(2 * geometry.clusterBytes());
    this.packedRows = new MemoryPool(PackedReads.memoryBytes(geometry));
    this.surroundings = new MemoryPool(2 * geometry.clusterBytes());
    this.codec =
        new ClusterCodec(
            header.compressionType(), geometry.clusterBytes(), image.options().compressionLevel());
    this.reads = new ReadPath(image, new PackedReads(image, codec, unpacked, packedRows));
    this.writes = new WritePath(image, reads, surroundings);
    this.packedWrites = new PackedWrites(image, writes, codec, packed);
    this.clears = new ClearPath(image, writes);
    this.zeroes = new ZeroPath(image, header, reads, writes, clears);
    this.bitmaps = new BitmapStore(node, image);
    this.status = new StatusPath(image, reads);
    this.cleaner = new CacheCleaner(node, image);
  }

  @Override
  public String formatName() {
    return "qcow2";
  }

  @Override
  public ImageDescription description() {
    return BackingWords.in(image, Qcow2Description.of(image, header));
  }

  @Override
  public String exactFileName() {
    return Encryption.isNamed(node) ? "" : BackingWords.exactName(image, description());
  }

  @Override
  public long lengthBytes() {
    return Geometry.inSectors(image.sizeBytes());
  }

  @Override
  public BlockLimits limits() {
    int cluster = geometry.clusterBytes();
    int sector = image.encryption() == null ? 1 : SECTOR_BYTES;
    return new BlockLimits(sector, 1, 0, 0, geometry.partBytes(), 0, cluster);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    image.damage().check();
    reads.read(offsetBytes, buffer, flags);
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    image.damage().check();
    if ((flags & RequestFlags.COMPRESSED) == 0) {
      writes.write(offsetBytes, buffer);
      return;
    }
    if (image.isExternal()) {
      throw BlockException.of(Errno.EOPNOTSUPP, "compressed clusters in an external data file");
    }
    long size = buffer.sizeBytes();
    boolean whole =
        geometry.inCluster(offsetBytes) == 0
            && (geometry.inCluster(size) == 0 || offsetBytes + size == lengthBytes());
    if (!whole) {
      throw BlockException.of(Errno.EINVAL, "a compressed write must consist of whole clusters");
    }
    for (long done = 0; done < size; done += geometry.clusterBytes()) {
      long length = Math.min(geometry.clusterBytes(), size - done);
      packedWrites.write(offsetBytes + done, buffer.slice(done, length));
    }
  }

  @Override
  public void packAhead(long offsetBytes, MemorySegment bytes) {
    packedWrites.packAhead(offsetBytes, bytes);
  }

  @Override
  public int writeFlags() {
    return RequestFlags.COMPRESSED;
  }

  @Override
  public void writeBack() throws BlockException {
    image.metadata().lock();
    try {
      image.writeBack();
    } finally {
      image.metadata().unlock();
    }
  }

  @Override
  public void flush() {
    // The tables have been written back; the node flushes the file.
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long length, int flags) throws BlockException {
    image.damage().check();
    return zeroes.write(offsetBytes, length, flags);
  }

  @Override
  public int zeroFlags() {
    return RequestFlags.MAY_UNMAP;
  }

  @Override
  public boolean discard(long offsetBytes, long length) throws BlockException {
    image.damage().check();
    return zeroes.discard(offsetBytes, length);
  }

  @Override
  public boolean copyRangeFrom(long offsetBytes, long length, CopyRange copy)
      throws BlockException {
    image.damage().check();
    return reads.copy(offsetBytes, length, copy);
  }

  @Override
  public boolean copyRangeTo(long offsetBytes, long length, CopyRange copy) throws BlockException {
    image.damage().check();
    return writes.copy(offsetBytes, length, copy);
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long length, boolean wantZero)
      throws BlockException {
    image.damage().check();
    return status.of(offsetBytes, length, wantZero);
  }

  @Override
  public void truncate(long newLength, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    image.damage().check();
    if (newLength % SECTOR_BYTES != 0) {
      throw new BlockException(Errno.EINVAL, "The new size must be a multiple of 512");
    }
    if (!image.isVersion3() && !image.snapshots().snapshots().isEmpty()) {
      throw new BlockException(Errno.EOPNOTSUPP, "Can't resize a v2 image which has snapshots");
    }
    long old = lengthBytes();
    if (newLength < old) {
      if (preallocation != PreallocationMode.OFF) {
        throw new BlockException(
            Errno.EINVAL, "Preallocation can't be used for shrinking an image");
      }
      shrink(newLength, old);
    } else {
      dropVmState();
      hideBacking(old, newLength, preallocation);
    }
    image.metadata().lock();
    try {
      image.writeBack();
      if (image.isExternal()) {
        resizeOutside(newLength);
      }
      image.changeSize(newLength);
    } finally {
      image.metadata().unlock();
    }
    // Where the data file shows the disk by itself, nothing in it may be left unallocated.
    PreallocationMode mode =
        preallocation == PreallocationMode.OFF && zeroes.isRawOutside()
            ? PreallocationMode.METADATA
            : preallocation;
    if (newLength > old && mode != PreallocationMode.OFF) {
      status.forget();
      new Preallocator(image).preallocate(old, newLength, mode);
    }
  }

  private void resizeOutside(long newLength) throws BlockException {
    if (image.data().lengthBytes() < newLength || newLength < image.sizeBytes()) {
      image.data().truncate(newLength, false, PreallocationMode.OFF);
    }
  }

  /** What is below must not show through where the disk grows. */
  private void hideBacking(long old, long newLength, PreallocationMode preallocation)
      throws BlockException {
    Edge backing = image.backing();
    if (newLength == old || backing == null || backing.lengthBytes() <= old) {
      return;
    }
    long firstWhole = Math.min(geometry.clusterEnd(old), newLength);
    if (!image.isVersion3() && firstWhole < newLength) {
      throw new BlockException(
          Errno.EOPNOTSUPP, "Failed to zero out new clusters: " + Errno.EOPNOTSUPP.message());
    }
    image.metadata().lock();
    try {
      image.makeRoomFor(newLength);
      image.writeBack();
    } finally {
      image.metadata().unlock();
    }
    if (old < firstWhole) {
      writes.write(old, IoVector.of(ZeroMemory.ofSize(firstWhole - old)));
    }
    if (preallocation != PreallocationMode.OFF) {
      new Preallocator(image).hide(firstWhole, newLength, preallocation);
      return;
    }
    clears.clear(firstWhole, newLength, ClearPath.Clearing.ZERO_AND_FREE);
  }

  /** What is cut off must not come back when the disk grows again. */
  private void shrink(long newLength, long old) throws BlockException {
    long firstWhole = geometry.clusterEnd(newLength);
    zeroes.writeBytes(newLength, Math.min(firstWhole, old) - newLength);
    if (firstWhole < old) {
      clears.clear(firstWhole, old, ClearPath.Clearing.FREE);
    }
  }

  @Override
  public CheckReport check(CheckRepair repair, Consumer<String> lines) throws BlockException {
    Check.argument(repair == CheckRepair.NONE || !node.isReadOnly(), "read-only: %s", node);
    image.metadata().lock();
    try {
      return image.check(repair, lines);
    } finally {
      image.metadata().unlock();
    }
  }

  /** What is done with the snapshots while nobody else changes tables. */
  @FunctionalInterface
  private interface SnapshotAction {
    void run(Snapshots snapshots) throws BlockException;
  }

  private void withSnapshots(SnapshotAction action) throws BlockException {
    image.damage().check();
    if (image.isExternal()) {
      throw BlockException.of(Errno.EOPNOTSUPP, "internal snapshots with an external data file");
    }
    image.metadata().lock();
    try {
      action.run(new Snapshots(image));
    } finally {
      image.metadata().unlock();
    }
  }

  /** Takes over what the image keeps of bitmaps; once, before anything else. */
  void loadBitmaps() throws BlockException {
    bitmaps.load(node.isReadOnly());
  }

  @Override
  public boolean keepsBitmaps() {
    return image.isVersion3();
  }

  @Override
  public void checkStorable(String name, long granularityBytes) throws BlockException {
    bitmaps.checkStorable(name, granularityBytes);
  }

  @Override
  public List<InternalSnapshots.Snapshot> snapshots() {
    return image.snapshots().snapshots().stream().map(SnapshotTable.Snapshot::shown).toList();
  }

  @Override
  public void createSnapshot(
      String name, long dateSeconds, int dateNanos, long instructions, long vmStateBytes)
      throws BlockException {
    withSnapshots(all -> all.create(name, dateSeconds, dateNanos, instructions, vmStateBytes));
    if (vmStateBytes > 0) {
      dropVmState();
    }
  }

  /** What is behind the disk must not become part of it. */
  private void dropVmState() throws BlockException {
    long end = image.map().firstLevel().length * geometry.bytesPerTable();
    if (image.vmStateOffset() < end) {
      clears.clear(image.vmStateOffset(), end, ClearPath.Clearing.FREE);
    }
  }

  @Override
  public void writeVmState(long offsetBytes, IoVector buffer) throws BlockException {
    image.damage().check();
    if (image.isExternal()) {
      throw BlockException.of(Errno.EOPNOTSUPP, "machine state with an external data file");
    }
    long start = image.vmStateOffset() + offsetBytes;
    image.metadata().lock();
    try {
      image.makeRoomFor(start + buffer.sizeBytes());
    } finally {
      image.metadata().unlock();
    }
    try {
      writes.write(start, buffer);
    } finally {
      node.work().noteWritten();
    }
  }

  @Override
  public void readVmState(long offsetBytes, IoVector buffer) throws BlockException {
    image.damage().check();
    reads.read(image.vmStateOffset() + offsetBytes, buffer, RequestFlags.NONE);
  }

  @Override
  public void applySnapshot(String id) throws BlockException {
    if (node.bitmaps().all().stream().anyMatch(bitmap -> bitmap.name() != null)) {
      throw new BlockException(Errno.EINVAL, "Device has active dirty bitmaps");
    }
    status.forget();
    withSnapshots(all -> all.apply(id));
    status.forget();
  }

  @Override
  public void deleteSnapshot(String id) throws BlockException {
    withSnapshots(all -> all.delete(id));
  }

  @Override
  public void showSnapshot(String id) throws BlockException {
    Check.state(node.isReadOnly(), "%s may be written to", node);
    withSnapshots(all -> all.show(id));
  }

  @Override
  public void changeBacking(@Nullable String name, @Nullable String format) throws BlockException {
    if (name != null && zeroes.isRawOutside()) {
      throw BlockException.of(Errno.EINVAL, "a backing file with data-file-raw");
    }
    if (name != null
        && name.getBytes(StandardCharsets.UTF_8).length > Qcow2Header.MAX_BACKING_NAME_BYTES) {
      throw BlockException.of(Errno.EINVAL, "a backing file's name is too long");
    }
    image.metadata().lock();
    try {
      image.writeBack();
      image.rewriteHeader(
          before -> {
            List<HeaderExtension> extensions =
                new ArrayList<>(before.extensionsWithout(HeaderExtension.BACKING_FORMAT));
            if (format != null && name != null) {
              extensions.addFirst(HeaderExtension.text(HeaderExtension.BACKING_FORMAT, format));
            }
            return before.withBacking(name, extensions);
          });
      image.named(new BackingWords(name, format));
    } finally {
      image.metadata().unlock();
    }
  }

  @Override
  public void makeEmpty() throws BlockException {
    image.damage().check();
    if (new EmptyPath(image, writes).empty()) {
      status.forget();
      return;
    }
    clears.empty(geometry.clusterEnd(lengthBytes()));
    // No request has written anything, so no flush of the node would tell of a failure.
    image.metadata().lock();
    try {
      image.writeBack();
    } finally {
      image.metadata().unlock();
    }
    image.file().flush();
  }

  Qcow2Image image() {
    return image;
  }

  @Override
  public OptionSchema amendOptions() {
    return Qcow2CreationOptions.AMENDABLE;
  }

  @Override
  public OptionSchema creationOptions() {
    return Qcow2CreationOptions.OPTIONS;
  }

  @Override
  public void amend(OptionValues values, boolean force) throws BlockException, OptionException {
    image.damage().check();
    new Amender(
            force,
            image,
            writes,
            clears,
            newSize -> {
              truncate(newSize, false, PreallocationMode.OFF);
              node.bitmaps().resize(lengthBytes());
            },
            this::complain)
        .amend(values);
  }

  @Override
  public Compaction compact(boolean tryOnly, Watcher watcher) throws BlockException {
    image.damage().check();
    image.metadata().lock();
    try {
      image.writeBack();
      image.file().flush();
      if (!tryOnly) {
        image.retire();
      }
      boolean stands = image.backing() != null || header.backingName() != null;
      return Compactor.compact(image.file(), stands, image.encryption(), tryOnly, watcher);
    } finally {
      image.metadata().unlock();
    }
  }

  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    if (edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
      int sharedBelow =
          (shared & Permission.WRITE) != 0
              ? Permission.ALL
              : Permission.CONSISTENT_READ | Permission.WRITE_UNCHANGED;
      return new PermissionPair(used & Permission.CONSISTENT_READ, sharedBelow);
    }
    int below = Permission.CONSISTENT_READ;
    if (image.wantsWrites()) {
      below |= Permission.WRITE | Permission.RESIZE;
    }
    return new PermissionPair(below, Permission.DEFAULT_SHARED);
  }

  /** Whether an option of an image can change, or go back to its default, while it is open. */
  @AnyThread
  public static boolean canChange(String option) {
    return RuntimeOptions.canChange(option);
  }

  /**
   * Options for a {@link ReopenChange} of this node.
   *
   * @param unmaps whether the image's discards reach the host from then on
   */
  @AnyThread
  public Object runtimeOptions(OptionReader options, boolean unmaps)
      throws OptionException, BlockException {
    return RuntimeOptions.read(options, header, unmaps);
  }

  /** How many bytes of memory the image's tables take that are kept. */
  @AnyThread
  public long cachedTableBytes() {
    return cleaner.memoryBytes();
  }

  @Override
  public PreparedReopen prepareReopen(ReopenChange change) throws BlockException {
    return new Qcow2Reopen(node, image, bitmaps, cleaner).prepare(change);
  }

  /** What had been written was flushed before; at worst some clusters stay counted for nothing. */
  @Override
  public void close() {
    cleaner.stop();
    try {
      if (!node.isReadOnly()) {
        finish();
      }
    } finally {
      image.close();
      codec.close();
      unpacked.close();
      packed.close();
      packedRows.close();
      surroundings.close();
    }
  }

  private void complain(String line) {
    node.graph().complain(line);
  }

  private void finish() {
    image.metadata().lock();
    try {
      try {
        bitmaps.storeAtEnd();
      } catch (BlockException e) {
        complain(
            "Lost persistent bitmaps during inactivation of node '%s': %s"
                .formatted(node.name(), e.getMessage()));
      }
      new Farewell(image, this::complain).say();
    } finally {
      image.metadata().unlock();
    }
  }
}

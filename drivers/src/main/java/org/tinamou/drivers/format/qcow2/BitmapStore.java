package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.HeapBytes;

/**
 * Brings the dirty bitmaps of a node to its image, and back. While the image is written to, its
 * directory says that the bitmaps are in use: whoever finds that knows that they are out of date.
 */
final class BitmapStore {
  private static final long ALL_ONES = 1;
  private static final long RESERVED = 0xff00_0000_0000_01feL;
  private static final int MAX_TABLE_ENTRIES = 0x8000000;
  private static final long MAX_BITMAP_BYTES = 0x2000_0000L;

  private final BlockNode node;
  private final Qcow2Image image;
  private final Geometry geometry;

  BitmapStore(BlockNode node, Qcow2Image image) {
    this.node = node;
    this.image = image;
    this.geometry = image.geometry();
  }

  /** Gives the node the bitmaps of an image that has just been opened. */
  void load(boolean readOnly) throws BlockException {
    BitmapTables tables = image.bitmaps();
    if (tables.tables().isEmpty()) {
      return;
    }
    long size = image.sizeBytes() + 511 & -512;
    for (BitmapTables.Table table : tables.tables()) {
      DirtyBitmap bitmap = node.bitmaps().create(table.name(), size, 1L << table.granularityBits());
      bitmap.setPersistent(true);
      if (table.isInUse()) {
        bitmap.setInconsistent();
      } else {
        load(bitmap, table);
        if ((table.flags() & BitmapTables.AUTO) == 0) {
          bitmap.disable();
        }
      }
      bitmap.setReadOnly(readOnly);
    }
    if (!readOnly) {
      markUsed();
    }
  }

  /** What is in the image is outdated from now on, should nobody store it again. */
  void markUsed() throws BlockException {
    BitmapTables tables = image.bitmaps();
    if (tables.tables().isEmpty()) {
      return;
    }
    List<BitmapTables.Table> used =
        tables.tables().stream()
            .map(table -> table.with(table.flags() | BitmapTables.IN_USE))
            .toList();
    HeapBytes.write(image.file(), tables.directoryOffset(), BitmapTables.serialise(used));
    image.file().flush();
    image.replaceBitmaps(new BitmapTables(tables.directoryOffset(), tables.directoryBytes(), used));
  }

  /** Whether the node's persistent bitmaps can be changed. */
  void setReadOnly(boolean readOnly) {
    for (DirtyBitmap bitmap : node.bitmaps().all()) {
      if (bitmap.isPersistent()) {
        bitmap.setReadOnly(readOnly);
      }
    }
  }

  /** The granules that a cluster of a bitmap tells of, in bytes of the disk. */
  private long bytesPerCluster(DirtyBitmap bitmap) {
    return (long) geometry.clusterBytes() * Byte.SIZE * bitmap.granularityBytes();
  }

  private long entriesFor(DirtyBitmap bitmap) {
    long granules = Math.ceilDiv(bitmap.sizeBytes(), bitmap.granularityBytes());
    return Math.max(1, geometry.clustersOf(Math.ceilDiv(granules, Byte.SIZE)));
  }

  private void load(DirtyBitmap bitmap, BitmapTables.Table table) throws BlockException {
    long entries = Integer.toUnsignedLong(table.entries());
    if (entries < entriesFor(bitmap)) {
      throw new BlockException(
          Errno.EINVAL, "Bitmap '%s' doesn't satisfy the constraints".formatted(table.name()));
    }
    int bytes = (int) entriesFor(bitmap) * Long.BYTES;
    long[] clusters = HeapBytes.longs(HeapBytes.read(image.file(), table.offset(), bytes));
    for (int i = 0; i < clusters.length; i++) {
      long entry = clusters[i];
      long offset = Entry.offset(entry);
      if ((entry & RESERVED) != 0
          || geometry.inCluster(offset) != 0
          || (offset != 0 && (entry & ALL_ONES) != 0)) {
        throw new BlockException(
            Errno.EINVAL, "Could not read bitmap '%s' from image".formatted(table.name()));
      }
      long start = i * bytesPerCluster(bitmap);
      if (offset != 0) {
        long plain = bitmap.plainBytes(Math.min(bytesPerCluster(bitmap), size(bitmap, start)));
        int wanted = (int) Math.min(plain, geometry.clusterBytes());
        byte[] content = HeapBytes.read(image.file(), offset, wanted);
        bitmap.writePlain(start, MemorySegment.ofArray(content));
      } else if ((entry & ALL_ONES) != 0) {
        bitmap.mark(start, Math.min(bytesPerCluster(bitmap), size(bitmap, start)));
      }
    }
  }

  private static long size(DirtyBitmap bitmap, long from) {
    return bitmap.sizeBytes() - from;
  }

  /** As {@link #store}, when the image is closed: only if it may be written to and needs it. */
  void storeAtEnd() throws BlockException {
    boolean untouchable =
        image.damage().isFatal() || image.isRetired() || node.options().forCheck();
    if (!untouchable && hasAny()) {
      store();
    }
  }

  /** Whether {@link #store} would change anything. */
  boolean hasAny() {
    return !image.bitmaps().tables().isEmpty()
        || node.bitmaps().all().stream().anyMatch(DirtyBitmap::isPersistent);
  }

  /**
   * Brings the node's persistent bitmaps to the image, in the order in which it had them, new ones
   * behind them. The caller holds the metadata lock.
   */
  void store() throws BlockException {
    BitmapTables before = image.bitmaps();
    List<BitmapTables.Table> after = new ArrayList<>();
    List<BitmapTables.Table> gone = new ArrayList<>();
    Set<String> known = new HashSet<>();
    for (BitmapTables.Table table : before.tables()) {
      DirtyBitmap bitmap = node.bitmaps().find(table.name());
      known.add(table.name());
      if (bitmap != null && bitmap.isPersistent() && bitmap.isInconsistent()) {
        after.add(table);
        continue;
      }
      gone.add(table);
      if (bitmap != null && bitmap.isPersistent()) {
        after.add(store(bitmap, table.name()));
      }
    }
    for (DirtyBitmap bitmap : node.bitmaps().all()) {
      String name = bitmap.name();
      if (name != null && bitmap.isPersistent() && known.add(name)) {
        after.add(store(bitmap, name));
      }
    }
    byte[] directory = BitmapTables.serialise(after);
    long offset = directory.length == 0 ? 0 : store(directory);
    image.stabiliseCounts();
    image.publishBitmaps(
        after.isEmpty() ? BitmapTables.NONE : new BitmapTables(offset, directory.length, after));
    for (BitmapTables.Table table : gone) {
      free(table);
    }
    free(before.directoryOffset(), before.directoryBytes());
  }

  private long store(byte[] bytes) throws BlockException {
    long clusters = geometry.clustersOf(bytes.length);
    long offset =
        image.allocator().allocateContiguous(clusters).firstCluster() << geometry.clusterBits();
    HeapBytes.write(image.file(), offset, bytes);
    return offset;
  }

  private BitmapTables.Table store(DirtyBitmap bitmap, String name) throws BlockException {
    long[] clusters = new long[(int) entriesFor(bitmap)];
    for (int i = 0; i < clusters.length; i++) {
      long start = i * bytesPerCluster(bitmap);
      long length = Math.min(bytesPerCluster(bitmap), size(bitmap, start));
      if (length > 0 && bitmap.nextDirty(start, length) >= 0) {
        byte[] content = new byte[geometry.clusterBytes()];
        int plain = (int) Math.min(bitmap.plainBytes(length), content.length);
        bitmap.readPlain(start, MemorySegment.ofArray(content).asSlice(0, plain));
        clusters[i] = store(content);
      }
    }
    return new BitmapTables.Table(
        store(HeapBytes.bigEndian(clusters)),
        clusters.length,
        bitmap.isRecording() ? BitmapTables.AUTO : 0,
        Long.numberOfTrailingZeros(bitmap.granularityBytes()),
        name);
  }

  private void free(BitmapTables.Table table) throws BlockException {
    long bytes = Integer.toUnsignedLong(table.entries()) * Long.BYTES;
    if (bytes > Integer.MAX_VALUE) {
      return; // a check finds what is left
    }
    for (long entry : HeapBytes.longs(HeapBytes.read(image.file(), table.offset(), (int) bytes))) {
      if (Entry.offset(entry) != 0) {
        free(Entry.offset(entry), geometry.clusterBytes());
      }
    }
    free(table.offset(), bytes);
  }

  private void free(long offset, long bytes) throws BlockException {
    long first = geometry.clusterIndex(offset);
    for (long i = 0; i < geometry.clustersOf(bytes); i++) {
      image.allocator().giveBack(first + i, Freed.OTHERWISE);
    }
  }

  /** Refuses a bitmap that could not be stored. */
  void checkStorable(String name, long granularityBytes) throws BlockException {
    String refusal = refusal(name, granularityBytes);
    if (refusal != null) {
      throw new BlockException(
          Errno.EINVAL,
          "Can't make bitmap '%s' persistent in '%s': %s".formatted(name, node.name(), refusal));
    }
  }

  private @Nullable String refusal(String name, long granularityBytes) {
    if (!image.isVersion3()) {
      return "Cannot store dirty bitmaps in qcow2 v2 files";
    }
    long granules = Math.ceilDiv(image.sizeBytes(), granularityBytes);
    if (Math.ceilDiv(granules, Byte.SIZE) > MAX_BITMAP_BYTES
        || geometry.clustersOf(Math.ceilDiv(granules, Byte.SIZE)) > MAX_TABLE_ENTRIES) {
      return "Too much space will be occupied by the bitmap. Use larger granularity";
    }
    List<BitmapTables.Table> stored = new ArrayList<>();
    for (DirtyBitmap bitmap : node.bitmaps().all()) {
      String other = bitmap.name();
      if (other != null && bitmap.isPersistent()) {
        stored.add(new BitmapTables.Table(0, 0, 0, 0, other));
      }
    }
    if (stored.size() >= BitmapTables.MAX_BITMAPS) {
      return "Maximum number of persistent bitmaps is already reached";
    }
    return BitmapTables.bytesWith(stored, name) > BitmapTables.MAX_DIRECTORY_BYTES
        ? "Not enough space in the bitmap directory"
        : null;
  }
}

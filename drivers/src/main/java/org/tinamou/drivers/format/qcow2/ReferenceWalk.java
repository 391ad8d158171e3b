package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/** Follows everything in an image that refers to clusters, and counts. */
final class ReferenceWalk {
  /** Of a first-level entry, what has to be 0. */
  static final long FIRST_LEVEL_RESERVED = 0x7f00_0000_0000_01ffL;

  private static final long SECOND_LEVEL_RESERVED = 0x3f00_0000_0000_01feL;
  private static final int MAX_SNAPSHOT_ENTRIES = (32 << 20) / Geometry.ENTRY_BYTES;
  private static final int READ_BYTES = 1 << 16;

  private final Edge file;
  private final Qcow2Header header;
  private final Geometry geometry;
  private final boolean external;
  private final long fileBytes;
  private final SnapshotTable snapshots;
  private final BitmapTables bitmaps;
  private final CheckLog log;
  private final ReferenceCounts counts;

  /** Only the first walk tells of what it finds and counts the disk's clusters. */
  private boolean first = true;

  private long clusters;
  private long allocated;
  private long fragmented;
  private long compressed;

  ReferenceWalk(
      Edge file,
      Qcow2Header header,
      long fileBytes,
      SnapshotTable snapshots,
      BitmapTables bitmaps,
      ReferenceCounts counts,
      CheckLog log) {
    this.file = file;
    this.header = header;
    this.geometry = header.geometry();
    this.external = header.hasFeature(Features.INCOMPATIBLE_DATA_FILE);
    this.fileBytes = fileBytes;
    this.snapshots = snapshots;
    this.bitmaps = bitmaps;
    this.counts = counts;
    this.log = log;
    this.clusters = geometry.clustersOf(fileBytes);
  }

  /** Clusters of the file, and the one behind it if something reaches into that. */
  long clusters() {
    return clusters;
  }

  long allocated() {
    return allocated;
  }

  long fragmented() {
    return fragmented;
  }

  long compressed() {
    return compressed;
  }

  /** Counts all references into the window of the counts. */
  void walk(StoredCounts stored) throws BlockException {
    addRegion(0, geometry.clusterBytes(), 1);
    TableWeights tables = new TableWeights();
    walkFirstLevel(header.firstLevelOffset(), header.firstLevelEntries(), tables, true);
    long snapshotEntries = 0;
    for (int i = 0; i < snapshots.snapshots().size(); i++) {
      SnapshotTable.Snapshot snapshot = snapshots.snapshots().get(i);
      if (isSound(snapshot)) {
        snapshotEntries += snapshot.firstLevelEntries();
        if (snapshotEntries > fileBytes / Geometry.ENTRY_BYTES + MAX_SNAPSHOT_ENTRIES) {
          throw new BlockException(
              Errno.EFBIG, "Snapshot L1 tables are larger than the file, so they must overlap");
        }
        walkFirstLevel(snapshot.firstLevelOffset(), snapshot.firstLevelEntries(), tables, false);
      }
    }
    tables.forEach(
        (offset, all, active) -> {
          int walked = active > 0 ? 1 : 0;
          if (all > walked) {
            walkTable(offset, all - walked, Math.max(0, active - 1));
          }
        });
    if (header.snapshots() > 0) {
      addRegion(header.snapshotsOffset(), snapshots.lengthBytes(), 1);
    }
    walkExtensions();
    addRegion(header.refcountTableOffset(), (long) stored.table().length * Long.BYTES, 1);
    walkRefcountBlocks(stored);
    first = false;
  }

  /** Counts a piece of the file that something refers to. */
  private void addRegion(long offset, long bytes, long references) {
    if (bytes <= 0) {
      return;
    }
    if (offset < 0 || offset >= fileBytes + geometry.clusterBytes() - bytes) {
      corruption(
          "ERROR: counting reference for region exceeding the end of the file by one cluster or"
              + " more: offset %s size %s",
          references, Hex.of(offset), Hex.of(bytes));
      return;
    }
    long last = geometry.clusterIndex(offset + bytes - 1);
    clusters = Math.max(clusters, last + 1);
    for (long cluster = geometry.clusterIndex(offset); cluster <= last; cluster++) {
      long tooMany = counts.add(cluster, references);
      if (tooMany > 0) {
        long place = cluster << geometry.clusterBits();
        log.corruption(() -> overflow(place), tooMany);
      }
    }
  }

  private static String overflow(long offset) {
    return "ERROR: overflow cluster offset="
        + Hex.of(offset)
        + "\n"
        + "Use qemu-img amend to increase the refcount entry width or qemu-img convert to create a"
        + " clean copy if the image cannot be opened for writing";
  }

  private void corruption(String format, long times, Object... arguments) {
    if (first) {
      log.corruption(() -> format.formatted(arguments), times);
    }
  }

  private boolean isSound(SnapshotTable.Snapshot snapshot) {
    if (geometry.inCluster(snapshot.firstLevelOffset()) != 0) {
      corruption(
          "ERROR snapshot %s (%s) l1_offset=%s: L1 table is not cluster aligned; snapshot table"
              + " entry corrupted",
          1, snapshot.id(), snapshot.name(), Hex.of(snapshot.firstLevelOffset()));
      return false;
    }
    if (Integer.compareUnsigned(snapshot.firstLevelEntries(), MAX_SNAPSHOT_ENTRIES) > 0) {
      corruption(
          "ERROR snapshot %s (%s) l1_size=%s: L1 table is too large; snapshot table entry"
              + " corrupted",
          1,
          snapshot.id(),
          snapshot.name(),
          Hex.of(Integer.toUnsignedLong(snapshot.firstLevelEntries())));
      return false;
    }
    return true;
  }

  private void walkFirstLevel(long offset, int entries, TableWeights tables, boolean active)
      throws BlockException {
    addRegion(offset, (long) entries * Geometry.ENTRY_BYTES, 1);
    long bytes = (long) entries * Geometry.ENTRY_BYTES;
    if (offset < 0 || offset >= fileBytes) {
      return;
    }
    for (long done = 0; done < bytes && offset + done < fileBytes; done += READ_BYTES) {
      int length = (int) Math.min(READ_BYTES, bytes - done);
      for (long entry : HeapBytes.longs(HeapBytes.read(file, offset + done, length))) {
        if (entry != 0) {
          enterTable(entry, tables, active);
        }
      }
    }
  }

  private void enterTable(long entry, TableWeights tables, boolean active) throws BlockException {
    if ((entry & FIRST_LEVEL_RESERVED) != 0) {
      corruption("ERROR found L1 entry with reserved bits set: %x", 1, entry);
    }
    long table = entry & Entry.OFFSET_MASK;
    addRegion(table, geometry.clusterBytes(), 1);
    if (geometry.inCluster(table) != 0) {
      corruption("ERROR l2_offset=%x: Table is not cluster aligned; L1 entry corrupted", 1, table);
    }
    if (table >= fileBytes) {
      return; // nothing but zeroes there
    }
    if (tables.add(table, active) && active) {
      walkTable(table, 1, 1);
    }
  }

  /**
   * Counts what a second-level table refers to.
   *
   * @param references how many first-level entries it is walked for
   * @param active how many of those are of the disk as it is now
   */
  private void walkTable(long table, long references, long active) throws BlockException {
    byte[] bytes;
    try {
      bytes = HeapBytes.read(file, table, geometry.clusterBytes());
    } catch (BlockException e) {
      if (first) {
        log.checkError(() -> "ERROR: I/O error in check_refcounts_l2");
      }
      return;
    }
    LongBuffer entries = ByteBuffer.wrap(bytes).asLongBuffer();
    long expected = 0;
    while (entries.hasRemaining()) {
      long entry = entries.get();
      long parts = geometry.extended() ? entries.get() : 0;
      if (entry != 0 || parts != 0) {
        expected = walkEntry(entry, parts, references, active, expected);
      }
    }
  }

  /** Returns where the next cluster is if the file is not fragmented. */
  private long walkEntry(long entry, long parts, long references, long active, long expected) {
    Entry.Kind kind = kind(entry);
    if (kind == Entry.Kind.COMPRESSED) {
      walkCompressed(entry, references, active);
      return expected;
    }
    long reserved = SECOND_LEVEL_RESERVED | (geometry.extended() ? Entry.ZERO : 0);
    if ((entry & reserved) != 0) {
      corruption("ERROR found l2 entry with reserved bits set: %x", references, entry);
    }
    if (Parts.isInvalid(parts)) {
      corruption(
          "ERROR offset=%x: Allocated subclusters are marked as zero: l2_bitmap=%016x",
          references, Entry.offset(entry), parts);
    }
    if (kind != Entry.Kind.NORMAL && kind != Entry.Kind.ZERO_ALLOCATED) {
      return expected;
    }
    long offset = Entry.offset(entry);
    if (geometry.inCluster(offset) != 0) {
      corruption(
          "ERROR offset=%x: %s cluster is not properly aligned; L2 entry corrupted.",
          references, offset, kind == Entry.Kind.NORMAL ? "Data" : "Preallocated");
    }
    if (first) {
      allocated += active;
      if (expected != 0 && offset != expected) {
        fragmented += active;
      }
    }
    if (!external) {
      addRegion(offset, geometry.clusterBytes(), references);
    }
    return offset + geometry.clusterBytes();
  }

  /** In the data file, a cluster may be at offset 0. */
  private Entry.Kind kind(long entry) {
    boolean first =
        external && (entry & (Entry.COMPRESSED | Entry.OFFSET_MASK)) == 0 && Entry.isCopied(entry);
    return first
        ? Entry.Kind.NORMAL
        : Entry.kind(geometry.extended() ? entry & ~Entry.ZERO : entry);
  }

  private void walkCompressed(long entry, long references, long active) {
    long offset = Entry.compressedOffset(entry, geometry);
    if (Entry.isCopied(entry)) {
      corruption(
          "ERROR: coffset=%s: copied flag must never be set for compressed clusters",
          references, Hex.of(offset));
    }
    if (first) {
      allocated += active;
      fragmented += active;
      compressed += active;
    }
    addRegion(offset, Entry.compressedBytes(entry & ~Entry.COPIED, geometry), references);
  }

  private void walkExtensions() throws BlockException {
    for (HeaderExtension extension : header.extensions()) {
      if (extension.type() == HeaderExtension.ENCRYPTION && extension.data().length >= 16) {
        ByteBuffer place = ByteBuffer.wrap(extension.data());
        addRegion(place.getLong(0), place.getLong(8), 1);
      }
    }
    addRegion(bitmaps.directoryOffset(), bitmaps.directoryBytes(), 1);
    for (BitmapTables.Table table : bitmaps.tables()) {
      long bytes = Integer.toUnsignedLong(table.entries()) * Long.BYTES;
      addRegion(table.offset(), bytes, 1);
      for (long done = 0; done < bytes && table.offset() + done < fileBytes; done += READ_BYTES) {
        int length = (int) Math.min(READ_BYTES, bytes - done);
        for (long entry : HeapBytes.longs(HeapBytes.read(file, table.offset() + done, length))) {
          long cluster = entry & Entry.OFFSET_MASK;
          if (cluster != 0) {
            addRegion(cluster, geometry.clusterBytes(), 1);
          }
        }
      }
    }
  }

  private void walkRefcountBlocks(StoredCounts stored) {
    long[] table = stored.table();
    for (int i = 0; i < table.length; i++) {
      if (table[i] == 0) {
        continue;
      }
      long offset = table[i] & Refcounts.OFFSET_MASK;
      long cluster = geometry.clusterIndex(offset);
      if (offset != table[i]) {
        corruption("ERROR refcount table entry %d has reserved bits set", 1, i);
      } else if (geometry.inCluster(offset) != 0) {
        corruption(
            "ERROR refcount block %d is not cluster aligned; refcount table entry corrupted", 1, i);
      } else if (offset < 0 || cluster >= clusters) {
        corruption("ERROR refcount block %d is outside image", 1, i);
      } else {
        addRegion(offset, geometry.clusterBytes(), 1);
        if (counts.contains(cluster) && counts.get(cluster) != 1) {
          int index = i;
          log.corruption(
              () -> "ERROR refcount block %d refcount=%d".formatted(index, counts.get(cluster)), 1);
        }
      }
    }
  }
}

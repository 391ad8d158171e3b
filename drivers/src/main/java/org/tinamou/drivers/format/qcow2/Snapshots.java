package org.tinamou.drivers.format.qcow2;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.HeapBytes;
import org.tinamou.drivers.InternalSnapshots;

/**
 * Makes, applies and deletes internal snapshots. All calls come from holders of the metadata lock.
 *
 * <p>A power cut on the way leaves clusters that are counted too often, never too seldom, and the
 * flags that allow writing in place cleared rather than set; a version 3 image is marked meanwhile
 * so that whoever opens it next puts that right.
 */
final class Snapshots {
  private final Qcow2Image image;
  private final Geometry geometry;
  private final TreeCounts trees;

  Snapshots(Qcow2Image image) {
    this.image = image;
    this.geometry = image.geometry();
    this.trees = new TreeCounts(image);
  }

  private SnapshotTable.Snapshot get(String id) throws BlockException {
    for (SnapshotTable.Snapshot snapshot : image.snapshots().snapshots()) {
      if (snapshot.id().equals(id)) {
        return snapshot;
      }
    }
    throw BlockException.of(Errno.ENOENT, "Can't find snapshot");
  }

  private String unusedId() {
    long highest = 0;
    for (SnapshotTable.Snapshot snapshot : image.snapshots().snapshots()) {
      String id = snapshot.id();
      if (!id.isEmpty() && id.length() < 18 && id.chars().allMatch(Character::isDigit)) {
        highest = Math.max(highest, Long.parseLong(id));
      }
    }
    return Long.toString(highest + 1);
  }

  /** Keeps the disk as it is. */
  void create(String name, long dateSeconds, int dateNanos, long instructions, long vmStateBytes)
      throws BlockException {
    List<SnapshotTable.Snapshot> wanted = new ArrayList<>(image.snapshots().snapshots());
    if (wanted.size() >= SnapshotTable.MAX_SNAPSHOTS) {
      throw BlockException.of(Errno.EFBIG, "too many snapshots");
    }
    image.beginRestructuring();
    image.uses().awaitEarlier();
    long[] table = image.map().firstLevel().clone();
    long offset = store(table);
    boolean done = false;
    try {
      trees.clearCopied();
      image.writeBack();
      image.file().flush();
      trees.countUp(table);
      wanted.add(
          new SnapshotTable.Snapshot(
              new InternalSnapshots.Snapshot(
                  unusedId(),
                  name,
                  dateSeconds,
                  dateNanos,
                  0,
                  vmStateBytes,
                  image.sizeBytes(),
                  instructions),
              table.length,
              offset,
              new byte[0],
              true));
      image.replaceSnapshots(wanted);
      done = true;
    } finally {
      if (!done) {
        free(offset, table.length);
      }
      end();
    }
  }

  /** Flags follow the counts, whatever those are by now. */
  private void end() throws BlockException {
    image.stabiliseCounts();
    trees.restoreCopied();
    image.endRestructuring();
  }

  /** A table in new clusters; at least one, so that it has a place. */
  private long store(long[] table) throws BlockException {
    long bytes = (long) table.length * Geometry.ENTRY_BYTES;
    long clusters = Math.max(1, geometry.clustersOf(bytes));
    long offset =
        image.allocator().allocateContiguous(clusters).firstCluster() << geometry.clusterBits();
    HeapBytes.write(image.file(), offset, HeapBytes.bigEndian(table));
    return offset;
  }

  private void free(long offset, int entries) throws BlockException {
    long clusters = geometry.clustersOf(Integer.toUnsignedLong(entries) * Geometry.ENTRY_BYTES);
    image.allocator().takeBack(geometry.clusterIndex(offset), clusters);
  }

  /** The first level of a snapshot, which may be damaged. */
  static long[] tableOf(Qcow2Image image, SnapshotTable.Snapshot snapshot) throws BlockException {
    checkTable(image, snapshot);
    int bytes = snapshot.firstLevelEntries() * Geometry.ENTRY_BYTES;
    return HeapBytes.longs(HeapBytes.read(image.file(), snapshot.firstLevelOffset(), bytes));
  }

  /** Whether a snapshot's first level can be one. */
  static void checkTable(Qcow2Image image, SnapshotTable.Snapshot snapshot) throws BlockException {
    long offset = snapshot.firstLevelOffset();
    int entries = snapshot.firstLevelEntries();
    if (Integer.compareUnsigned(entries, Qcow2Image.MAX_FIRST_LEVEL_ENTRIES) > 0) {
      throw new BlockException(Errno.EFBIG, "Snapshot L1 table too large");
    }
    if (offset < 0 || image.geometry().inCluster(offset) != 0) {
      throw new BlockException(Errno.EINVAL, "Snapshot L1 table offset invalid");
    }
  }

  /** Goes back to a snapshot. */
  void apply(String id) throws BlockException {
    SnapshotTable.Snapshot snapshot = get(id);
    long[] wanted = tableOf(image, snapshot);
    long size = snapshot.shown().diskBytes();
    long needed = Math.max(1, Math.max(wanted.length, geometry.firstLevelEntries(size)));
    if (size < 0 || needed > Qcow2Image.MAX_FIRST_LEVEL_ENTRIES) {
      throw BlockException.of(Errno.EFBIG, "Snapshot L1 table too large");
    }
    image.beginRestructuring();
    try {
      image.uses().awaitEarlier();
      trees.countUp(wanted);
      long[] entries = Arrays.copyOf(wanted, (int) needed);
      for (int i = 0; i < entries.length; i++) {
        entries[i] &= ~Entry.COPIED;
      }
      long offset = store(entries);
      image.stabiliseCounts();
      final long[] before = image.map().firstLevel();
      final long beforeOffset = image.map().firstLevelOffset();
      trees.clearCopied(wanted);
      image.switchDisk(offset, entries, size);
      trees.countDown(before);
      free(beforeOffset, before.length);
      image.stabiliseCounts();
    } finally {
      end();
    }
  }

  /** Forgets a snapshot. */
  void delete(String id) throws BlockException {
    SnapshotTable.Snapshot snapshot = get(id);
    long[] table = tableOf(image, snapshot);
    List<SnapshotTable.Snapshot> wanted = new ArrayList<>(image.snapshots().snapshots());
    wanted.remove(snapshot);
    image.beginRestructuring();
    try {
      image.replaceSnapshots(wanted);
      trees.countDown(table);
      free(snapshot.firstLevelOffset(), table.length);
      image.stabiliseCounts();
    } finally {
      end();
    }
  }

  /** Shows a snapshot in place of the disk; only of an image that is not written to. */
  void show(String id) throws BlockException {
    SnapshotTable.Snapshot snapshot = get(id);
    long[] table = tableOf(image, snapshot);
    int entries = (int) Math.max(table.length, geometry.firstLevelEntries(image.sizeBytes()));
    image.map().switchTo(snapshot.firstLevelOffset(), Arrays.copyOf(table, entries));
  }
}

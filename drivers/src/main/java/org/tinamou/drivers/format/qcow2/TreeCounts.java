package org.tinamou.drivers.format.qcow2;

import org.tinamou.block.BlockException;
import org.tinamou.drivers.HeapBytes;

/**
 * Counts, once more or once less, everything that a first-level table leads to, and keeps the flags
 * that follow from the counts. All calls come from holders of the metadata lock.
 */
final class TreeCounts {
  /** Does something to one cluster of the file. */
  @FunctionalInterface
  private interface Visitor {
    /** Returns false to end the walk. */
    boolean visit(long cluster) throws BlockException;
  }

  private final Qcow2Image image;
  private final Geometry geometry;

  TreeCounts(Qcow2Image image) {
    this.image = image;
    this.geometry = image.geometry();
  }

  /**
   * Counts a reference more for each one.
   *
   * @throws BlockException with EINVAL if a count cannot become larger, or as {@link
   *     Refcounts#requireCounted} says; nothing has changed then
   */
  void countUp(long[] firstLevel) throws BlockException {
    long[] counted = {0};
    boolean done = false;
    try {
      walk(
          firstLevel,
          cluster -> {
            image.refcounts().requireCounted(cluster);
            image.refcounts().increase(cluster, 1);
            counted[0]++;
            return true;
          });
      done = true;
    } finally {
      if (!done) {
        walk(
            firstLevel,
            cluster -> {
              if (counted[0] == 0) {
                return false;
              }
              counted[0]--;
              image.allocator().takeBack(cluster, 1);
              return true;
            });
      }
    }
  }

  /** Counts a reference less for each one; what nothing refers to any more is free. */
  void countDown(long[] firstLevel) throws BlockException {
    walk(
        firstLevel,
        cluster -> {
          image.allocator().giveBack(cluster, Freed.WITH_SNAPSHOT);
          return true;
        });
  }

  private void walk(long[] firstLevel, Visitor visitor) throws BlockException {
    for (long entry : firstLevel) {
      long table = Entry.offset(entry);
      if (table == 0) {
        continue;
      }
      checkAligned(table, "L2 table");
      // Taken out whole, as its cluster may be given away before the walk is through with it.
      long[] entries =
          HeapBytes.longs(HeapBytes.read(image.file(), table, geometry.clusterBytes()));
      int step = geometry.secondLevelEntryBytes() / Geometry.ENTRY_BYTES;
      for (int i = 0; i < entries.length; i += step) {
        if (!walkEntry(entries[i], visitor)) {
          return;
        }
      }
      if (!visitor.visit(geometry.clusterIndex(table))) {
        return;
      }
    }
  }

  private boolean walkEntry(long entry, Visitor visitor) throws BlockException {
    switch (Entry.kind(entry)) {
      case NORMAL, ZERO_ALLOCATED -> {
        long offset = Entry.offset(entry);
        checkAligned(offset, "Cluster allocation");
        return visitor.visit(geometry.clusterIndex(offset));
      }
      case COMPRESSED -> {
        long offset = Entry.compressedOffset(entry, geometry);
        long last = geometry.clusterIndex(offset + Entry.compressedBytes(entry, geometry) - 1);
        for (long cluster = geometry.clusterIndex(offset); cluster <= last; cluster++) {
          if (!visitor.visit(cluster)) {
            return false;
          }
        }
        return true;
      }
      default -> {
        return true;
      }
    }
  }

  private void checkAligned(long offset, String what) throws BlockException {
    if (geometry.inCluster(offset) != 0) {
      throw image.damage().found("%s offset %s unaligned".formatted(what, Hex.of(offset)));
    }
  }

  /** Nothing of the disk may be written in place. */
  void clearCopied() throws BlockException {
    flag(image.map().firstLevel(), false);
  }

  /** Nothing of a tree that is not in use yet may be written in place. */
  void clearCopied(long[] firstLevel) throws BlockException {
    for (long entry : firstLevel) {
      if (Entry.offset(entry) != 0) {
        flagTable(Entry.offset(entry), false);
      }
    }
    image.writeBack();
    image.file().flush();
  }

  /** What is referred to once may be written in place. */
  void restoreCopied() throws BlockException {
    flag(image.map().firstLevel(), true);
  }

  private void flag(long[] firstLevel, boolean byCount) throws BlockException {
    for (int i = 0; i < firstLevel.length; i++) {
      long table = Entry.offset(firstLevel[i]);
      if (table != 0) {
        checkAligned(table, "L2 table");
        flagTable(table, byCount);
        image.map().firstLevelEntry(i, flagged(firstLevel[i], table, byCount));
      }
    }
  }

  private void flagTable(long table, boolean byCount) throws BlockException {
    int step = geometry.secondLevelEntryBytes() / Geometry.ENTRY_BYTES;
    TableCache slices = image.map().slices();
    for (long at = 0; at < geometry.clusterBytes(); at += slices.sliceBytes()) {
      TableCache.Slice slice = slices.get(table + at);
      for (int i = 0; i < slices.sliceBytes() / Geometry.ENTRY_BYTES; i += step) {
        long entry = slice.entry(i);
        Entry.Kind kind = Entry.kind(entry);
        if (kind == Entry.Kind.NORMAL || kind == Entry.Kind.ZERO_ALLOCATED) {
          long wanted = flagged(entry, Entry.offset(entry), byCount);
          if (wanted != entry) {
            slice.entry(i, wanted);
          }
        }
      }
    }
  }

  private long flagged(long entry, long offset, boolean byCount) throws BlockException {
    boolean once = byCount && image.refcounts().get(geometry.clusterIndex(offset)) == 1;
    return once ? entry | Entry.COPIED : entry & ~Entry.COPIED;
  }
}

package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/** Compares the flags that say that a cluster is referred to once with the counts in the file. */
final class CopiedFlags {
  private static final int READ_BYTES = 1 << 16;

  private final Edge file;
  private final Qcow2Header header;
  private final Geometry geometry;
  private final boolean external;
  private final StoredCounts stored;
  private final CheckLog log;

  CopiedFlags(Edge file, Qcow2Header header, StoredCounts stored, CheckLog log) {
    this.file = file;
    this.header = header;
    this.geometry = header.geometry();
    this.external = header.hasFeature(Features.INCOMPATIBLE_DATA_FILE);
    this.stored = stored;
    this.log = log;
  }

  /** Checks the tables of the disk as it is now, and mends the flags if told to. */
  void check(long fileBytes, boolean repair) throws BlockException {
    long offset = header.firstLevelOffset();
    long bytes = (long) header.firstLevelEntries() * Geometry.ENTRY_BYTES;
    TableWeights seen = new TableWeights();
    for (long done = 0; done < bytes && offset + done < fileBytes; done += READ_BYTES) {
      long inFile = fileBytes - offset - done + Geometry.ENTRY_BYTES - 1 & -Geometry.ENTRY_BYTES;
      int length = (int) Math.min(READ_BYTES, Math.min(bytes - done, inFile));
      long[] entries = HeapBytes.longs(HeapBytes.read(file, offset + done, length));
      boolean changed = false;
      for (int i = 0; i < entries.length; i++) {
        long table = entries[i] & Entry.OFFSET_MASK;
        if (table == 0) {
          continue;
        }
        long mended = mended(entries[i], table, done / Geometry.ENTRY_BYTES + i, repair);
        changed |= mended != entries[i];
        entries[i] = mended;
        if (table < fileBytes && seen.add(table, true)) {
          checkTable(table, repair);
        }
      }
      if (changed) {
        HeapBytes.write(file, offset + done, HeapBytes.bigEndian(entries));
      }
    }
  }

  private void checkTable(long table, boolean repair) throws BlockException {
    byte[] bytes;
    try {
      bytes = HeapBytes.read(file, table, geometry.clusterBytes());
    } catch (BlockException e) {
      log.checkError(() -> "ERROR: I/O error in check_oflag_copied: " + e.errno().message());
      return;
    }
    ByteBuffer entries = ByteBuffer.wrap(bytes);
    boolean changed = false;
    for (int at = 0; at < bytes.length; at += geometry.secondLevelEntryBytes()) {
      long entry = entries.getLong(at);
      Entry.Kind kind = Entry.kind(entry);
      if (!external && (kind == Entry.Kind.NORMAL || kind == Entry.Kind.ZERO_ALLOCATED)) {
        long mended = mended(entry, Entry.offset(entry), -1, repair);
        if (mended != entry) {
          entries.putLong(at, mended);
          changed = true;
        }
      }
    }
    if (changed) {
      HeapBytes.write(file, table, bytes);
    }
  }

  /**
   * The entry as it has to be.
   *
   * @param index of a first-level entry, or -1
   */
  private long mended(long entry, long offset, long index, boolean repair) {
    long count;
    try {
      count = stored.get(geometry.clusterIndex(offset));
    } catch (BlockException e) {
      return entry; // it was told when the counts were compared
    }
    if ((count == 1) == Entry.isCopied(entry)) {
      return entry;
    }
    log.corruption(() -> (repair ? "Repairing " : "ERROR ") + description(entry, index, count), 1);
    if (!repair) {
      return entry;
    }
    log.corruptionFixed();
    return entry ^ Entry.COPIED;
  }

  private static String description(long entry, long index, long count) {
    String subject =
        index < 0
            ? "data cluster: l2_entry=%x".formatted(entry)
            : "L2 cluster: l1_index=%d l1_entry=%x".formatted(index, entry);
    return "OFLAG_COPIED %s refcount=%s".formatted(subject, Long.toUnsignedString(count));
  }
}

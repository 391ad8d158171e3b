package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;
import org.tinamou.drivers.InternalSnapshots;

/**
 * The internal snapshots that an image keeps.
 *
 * @param offset where the table is in the file; 0 without snapshots
 * @param lengthBytes what the table takes in the file
 */
record SnapshotTable(List<Snapshot> snapshots, long offset, long lengthBytes) {
  static final SnapshotTable NONE = new SnapshotTable(List.of(), 0, 0);
  static final int MAX_SNAPSHOTS = 65_536;

  private static final int HEAD_BYTES = 40;
  private static final int MAX_EXTRA_BYTES = 1024;
  private static final int MAX_TABLE_BYTES = 64 << 20;
  private static final int ALIGNMENT_BYTES = 8;

  /** What every version 3 image knows of a snapshot beyond the head. */
  private static final int WANTED_EXTRA_BYTES = 16;

  /** With the number of instructions. */
  private static final int KNOWN_EXTRA_BYTES = 24;

  /**
   * One snapshot.
   *
   * @param firstLevelEntries not checked
   * @param firstLevelOffset not checked
   * @param moreExtra what nobody knows the meaning of
   * @param complete whether it says what version 3 wants to know
   */
  record Snapshot(
      InternalSnapshots.Snapshot shown,
      int firstLevelEntries,
      long firstLevelOffset,
      byte[] moreExtra,
      boolean complete) {
    String id() {
      return shown.id();
    }

    String name() {
      return shown.name();
    }

    private int paddedBytes() {
      return padded(
          HEAD_BYTES
              + KNOWN_EXTRA_BYTES
              + moreExtra.length
              + utf8(shown.id()).length
              + utf8(shown.name()).length);
    }

    private void put(ByteBuffer out) {
      byte[] id = utf8(shown.id());
      byte[] name = utf8(shown.name());
      final int start = out.position();
      out.putLong(firstLevelOffset).putInt(firstLevelEntries);
      out.putShort((short) id.length).putShort((short) name.length);
      out.putInt((int) shown.dateSeconds()).putInt(shown.dateNanos());
      out.putLong(shown.vmClockNanos());
      out.putInt(shown.vmStateBytes() >>> Integer.SIZE == 0 ? (int) shown.vmStateBytes() : 0);
      out.putInt(KNOWN_EXTRA_BYTES + moreExtra.length);
      out.putLong(shown.vmStateBytes()).putLong(shown.diskBytes()).putLong(shown.instructions());
      out.put(moreExtra).put(id).put(name);
      out.position(start + paddedBytes());
    }
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static int padded(int bytes) {
    return bytes + ALIGNMENT_BYTES - 1 & -ALIGNMENT_BYTES;
  }

  /**
   * A table as it goes into the file.
   *
   * @throws BlockException with EFBIG if it is beyond the format's limits
   */
  static byte[] serialise(List<Snapshot> snapshots) throws BlockException {
    long bytes = 0;
    for (Snapshot snapshot : snapshots) {
      bytes += snapshot.paddedBytes();
    }
    if (bytes > MAX_TABLE_BYTES || snapshots.size() > MAX_SNAPSHOTS) {
      throw BlockException.of(Errno.EFBIG, "too many snapshots");
    }
    ByteBuffer out = ByteBuffer.allocate((int) bytes);
    snapshots.forEach(snapshot -> snapshot.put(out));
    return out.array();
  }

  /** Reads a file from front to back in large pieces. */
  private static final class Window {
    private static final int WINDOW_BYTES = 1 << 16;

    private final Edge file;
    private byte[] bytes = new byte[0];
    private long start;

    Window(Edge file) {
      this.file = file;
    }

    byte[] read(long offset, int length) throws BlockException {
      if (offset < start || offset + length > start + bytes.length) {
        bytes = HeapBytes.read(file, offset, Math.max(length, WINDOW_BYTES));
        start = offset;
      }
      int from = (int) (offset - start);
      return Arrays.copyOfRange(bytes, from, from + length);
    }
  }

  /** Reads the table of an image that is being opened. */
  static SnapshotTable open(Edge file, Qcow2Header header) throws BlockException {
    try {
      return read(file, header);
    } catch (BlockException e) {
      throw e.errno() == Errno.EFBIG
          ? e.withHint(
              "You can force-remove this extra metadata by updating the image with qemu-img check"
                  + " -r all")
          : e;
    }
  }

  /**
   * Reads the table.
   *
   * @throws BlockException with EFBIG if it is beyond the format's limits
   */
  static SnapshotTable read(Edge file, Qcow2Header header) throws BlockException {
    return read(file, header, null);
  }

  /** Told what has to be left out of a table to bring it within the format's limits. */
  @FunctionalInterface
  interface Repair {
    void discard(String what);
  }

  /**
   * Reads the table.
   *
   * @param repair null if the table has to be within the format's limits
   */
  static SnapshotTable read(Edge file, Qcow2Header header, @Nullable Repair repair)
      throws BlockException {
    List<Snapshot> all = new ArrayList<>();
    Window window = new Window(file);
    long offset = header.snapshotsOffset();
    for (int i = 0; i < header.snapshots(); i++) {
      if (offset > Long.MAX_VALUE - MAX_TABLE_BYTES) {
        throw new BlockException(Errno.EINVAL, "Snapshot table offset invalid");
      }
      ByteBuffer head = ByteBuffer.wrap(window.read(offset, HEAD_BYTES));
      long extra = Integer.toUnsignedLong(head.getInt(36));
      int known = (int) extra;
      if (extra > MAX_EXTRA_BYTES) {
        if (repair == null) {
          throw new BlockException(
              Errno.EFBIG, "Too much extra metadata in snapshot table entry " + i);
        }
        repair.discard(
            "Discarding too much extra metadata in snapshot table entry %d (%d > %d)"
                .formatted(i, extra, MAX_EXTRA_BYTES));
        known = KNOWN_EXTRA_BYTES;
      }
      int idBytes = head.getShort(12) & 0xffff;
      int nameBytes = head.getShort(14) & 0xffff;
      long length = HEAD_BYTES + extra + idBytes + nameBytes;
      long end = offset + length + ALIGNMENT_BYTES - 1 & -ALIGNMENT_BYTES;
      if (end - header.snapshotsOffset() > MAX_TABLE_BYTES) {
        if (repair == null) {
          throw new BlockException(Errno.EFBIG, "Snapshot table is too big");
        }
        repair.discard(
            "Discarding %d overhanging snapshots (snapshot table is too big)"
                .formatted(header.snapshots() - i));
        break;
      }
      byte[] bytes =
          Arrays.copyOf(window.read(offset + HEAD_BYTES, known), known + idBytes + nameBytes);
      byte[] text = window.read(offset + HEAD_BYTES + extra, idBytes + nameBytes);
      System.arraycopy(text, 0, bytes, known, text.length);
      all.add(snapshot(header, head, bytes, known, idBytes));
      offset = end;
    }
    return new SnapshotTable(all, header.snapshotsOffset(), offset - header.snapshotsOffset());
  }

  /**
   * One entry.
   *
   * @param bytes extra data, identifier and name
   */
  private static Snapshot snapshot(
      Qcow2Header header, ByteBuffer head, byte[] bytes, int extra, int idBytes) {
    ByteBuffer rest = ByteBuffer.wrap(bytes);
    boolean hasState = extra >= Long.BYTES;
    boolean hasSize = extra >= WANTED_EXTRA_BYTES;
    boolean hasCount = extra >= KNOWN_EXTRA_BYTES;
    InternalSnapshots.Snapshot shown =
        new InternalSnapshots.Snapshot(
            new String(bytes, extra, idBytes, StandardCharsets.UTF_8),
            new String(
                bytes, extra + idBytes, bytes.length - extra - idBytes, StandardCharsets.UTF_8),
            Integer.toUnsignedLong(head.getInt(16)),
            head.getInt(20),
            head.getLong(24),
            hasState ? rest.getLong(0) : Integer.toUnsignedLong(head.getInt(32)),
            hasSize ? rest.getLong(8) : header.sizeBytes(),
            hasCount ? rest.getLong(16) : -1);
    return new Snapshot(
        shown,
        head.getInt(8),
        head.getLong(0),
        hasCount ? Arrays.copyOfRange(bytes, KNOWN_EXTRA_BYTES, extra) : new byte[0],
        header.version() < 3 || hasSize);
  }
}

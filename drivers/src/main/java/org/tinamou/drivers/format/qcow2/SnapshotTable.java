package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;

/**
 * The internal snapshots that an image keeps.
 *
 * @param lengthBytes what the table takes in the file
 */
record SnapshotTable(List<Snapshot> snapshots, long lengthBytes) {
  static final SnapshotTable NONE = new SnapshotTable(List.of(), 0);

  private static final int HEAD_BYTES = 40;
  private static final int MAX_EXTRA_BYTES = 1024;
  private static final int MAX_TABLE_BYTES = 64 << 20;
  private static final int ALIGNMENT_BYTES = 8;

  /** What every version 3 image knows of a snapshot beyond the head. */
  private static final int WANTED_EXTRA_BYTES = 16;

  /**
   * One snapshot.
   *
   * @param firstLevelEntries not checked
   * @param firstLevelOffset not checked
   * @param complete whether it says what version 3 wants to know
   */
  record Snapshot(
      String id, String name, int firstLevelEntries, long firstLevelOffset, boolean complete) {}

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
        bytes = Buffers.read(file, offset, Math.max(length, WINDOW_BYTES));
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
              "You can force-remove this extra metadata by updating the image with qemu-img check -r all")
          : e;
    }
  }

  /**
   * Reads the table.
   *
   * @throws BlockException with EFBIG if it is beyond the format's limits
   */
  static SnapshotTable read(Edge file, Qcow2Header header) throws BlockException {
    List<Snapshot> all = new ArrayList<>();
    Window window = new Window(file);
    long offset = header.snapshotsOffset();
    for (int i = 0; i < header.snapshots(); i++) {
      if (offset > Long.MAX_VALUE - MAX_TABLE_BYTES) {
        throw new BlockException(Errno.EINVAL, "Snapshot table offset invalid");
      }
      ByteBuffer head = ByteBuffer.wrap(window.read(offset, HEAD_BYTES));
      int extra = head.getInt(36);
      if (Integer.compareUnsigned(extra, MAX_EXTRA_BYTES) > 0) {
        throw new BlockException(
            Errno.EFBIG, "Too much extra metadata in snapshot table entry " + i);
      }
      int idBytes = head.getShort(12) & 0xffff;
      int nameBytes = head.getShort(14) & 0xffff;
      byte[] text = window.read(offset + HEAD_BYTES + extra, idBytes + nameBytes);
      all.add(
          new Snapshot(
              new String(text, 0, idBytes, StandardCharsets.UTF_8),
              new String(text, idBytes, nameBytes, StandardCharsets.UTF_8),
              head.getInt(8),
              head.getLong(0),
              header.version() < 3 || extra >= WANTED_EXTRA_BYTES));
      long length = (long) HEAD_BYTES + extra + idBytes + nameBytes;
      offset += length + ALIGNMENT_BYTES - 1 & -ALIGNMENT_BYTES;
      if (offset - header.snapshotsOffset() > MAX_TABLE_BYTES) {
        throw new BlockException(Errno.EFBIG, "Snapshot table is too big");
      }
    }
    return new SnapshotTable(all, offset - header.snapshotsOffset());
  }
}

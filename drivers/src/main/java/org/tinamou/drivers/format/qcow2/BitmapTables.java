package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;

/**
 * Where an image keeps its persistent bitmaps.
 *
 * @param directoryOffset 0 without bitmaps
 */
record BitmapTables(long directoryOffset, long directoryBytes, List<Table> tables) {
  private static final BitmapTables NONE = new BitmapTables(0, 0, List.of());
  private static final int EXTENSION_BYTES = 24;
  private static final int ENTRY_BYTES = 24;
  private static final int MAX_BITMAPS = 65_535;
  private static final int MAX_DIRECTORY_BYTES = 64 << 20;
  private static final int MAX_TABLE_ENTRIES = 0x8000000;
  private static final int MAX_NAME_BYTES = 1023;
  private static final int ALIGNMENT_BYTES = 8;

  /** The list of a bitmap's clusters. */
  record Table(long offset, int entries) {}

  /**
   * Reads the directory. Bitmaps that are out of date, as a program without knowledge of them has
   * written to the image, are none.
   *
   * @throws BlockException with EINVAL if the directory is broken
   */
  static BitmapTables read(Edge file, Qcow2Header header) throws BlockException {
    for (HeaderExtension extension : header.extensions()) {
      if (extension.type() == HeaderExtension.BITMAPS
          && (header.autoclear() & Features.AUTOCLEAR_BITMAPS) != 0) {
        return read(file, header.geometry(), extension);
      }
    }
    return NONE;
  }

  private static BlockException broken(String what) {
    return new BlockException(Errno.EINVAL, what);
  }

  private static BitmapTables read(Edge file, Geometry geometry, HeaderExtension extension)
      throws BlockException {
    if (extension.data().length != EXTENSION_BYTES) {
      throw broken("bitmaps_ext: Invalid extension length");
    }
    ByteBuffer fields = ByteBuffer.wrap(extension.data());
    int count = fields.getInt(0);
    long bytes = fields.getLong(8);
    long offset = fields.getLong(16);
    if (fields.getInt(4) != 0) {
      throw broken("bitmaps_ext: Reserved field is not zero");
    }
    if (Integer.compareUnsigned(count, MAX_BITMAPS) > 0) {
      throw broken(
          "bitmaps_ext: image has %s bitmaps, exceeding the QEMU supported maximum of %d"
              .formatted(Integer.toUnsignedString(count), MAX_BITMAPS));
    }
    if (count == 0) {
      throw broken("found bitmaps extension with zero bitmaps");
    }
    if (offset <= 0 || geometry.inCluster(offset) != 0) {
      throw broken("bitmaps_ext: invalid bitmap directory offset");
    }
    if (bytes < 0 || bytes > MAX_DIRECTORY_BYTES) {
      throw broken(
          "bitmaps_ext: bitmap directory size (%s) exceeds the maximum supported size (%d)"
              .formatted(Long.toUnsignedString(bytes), MAX_DIRECTORY_BYTES));
    }
    ByteBuffer directory = ByteBuffer.wrap(Buffers.read(file, offset, (int) bytes));
    List<Table> tables = new ArrayList<>();
    int at = 0;
    while (at < bytes) {
      if (bytes - at < ENTRY_BYTES) {
        throw broken("Broken bitmap directory");
      }
      long length =
          (long) ENTRY_BYTES
              + Integer.toUnsignedLong(directory.getInt(at + 20))
              + (directory.getShort(at + 18) & 0xffff);
      long table = directory.getLong(at);
      int entries = directory.getInt(at + 8);
      int nameBytes = directory.getShort(at + 18) & 0xffff;
      long padded = length + ALIGNMENT_BYTES - 1 & -ALIGNMENT_BYTES;
      if (padded > bytes - at) {
        throw broken("Broken bitmap directory");
      }
      boolean sound =
          table > 0
              && geometry.inCluster(table) == 0
              && entries != 0
              && Integer.compareUnsigned(entries, MAX_TABLE_ENTRIES) <= 0
              && nameBytes > 0
              && nameBytes <= MAX_NAME_BYTES;
      if (!sound) {
        byte[] name = new byte[nameBytes];
        directory.get(at + (int) length - nameBytes, name);
        throw broken(
            "Bitmap '%s' doesn't satisfy the constraints"
                .formatted(new String(name, StandardCharsets.UTF_8)));
      }
      tables.add(new Table(table, entries));
      at += (int) padded;
    }
    if (tables.size() != count) {
      throw broken(
          (tables.size() > count ? "More" : "Less")
              + " bitmaps found than specified in header extension");
    }
    return new BitmapTables(offset, bytes, tables);
  }
}

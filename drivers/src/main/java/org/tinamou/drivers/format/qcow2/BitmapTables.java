package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.HeapBytes;

/**
 * Where an image keeps its persistent bitmaps.
 *
 * @param directoryOffset 0 without bitmaps
 */
record BitmapTables(long directoryOffset, long directoryBytes, List<Table> tables) {
  static final BitmapTables NONE = new BitmapTables(0, 0, List.of());
  private static final int EXTENSION_BYTES = 24;
  private static final int ENTRY_BYTES = 24;
  static final int MAX_BITMAPS = 65_535;
  static final int MAX_DIRECTORY_BYTES = 64 << 20;
  private static final int MAX_TABLE_ENTRIES = 0x8000000;
  private static final int MAX_NAME_BYTES = 1023;
  private static final int ALIGNMENT_BYTES = 8;

  /** The bitmap was not stored: it says nothing. */
  static final int IN_USE = 1;

  /** Writes have to be recorded. */
  static final int AUTO = 2;

  private static final int KNOWN_FLAGS = 3;
  private static final int DIRTY_TRACKING = 1;
  private static final int MIN_GRANULARITY_BITS = 9;
  private static final int MAX_GRANULARITY_BITS = 31;

  /**
   * A bitmap.
   *
   * @param offset of the list of its clusters
   * @param entries how long that list is
   */
  record Table(long offset, int entries, int flags, int granularityBits, String name) {
    boolean isInUse() {
      return (flags & IN_USE) != 0;
    }

    Table with(int newFlags) {
      return new Table(offset, entries, newFlags, granularityBits, name);
    }

    private int paddedBytes() {
      return ENTRY_BYTES + utf8().length + ALIGNMENT_BYTES - 1 & -ALIGNMENT_BYTES;
    }

    private byte[] utf8() {
      return name.getBytes(StandardCharsets.UTF_8);
    }
  }

  /** What the directory takes with a bitmap more. */
  static long bytesWith(List<Table> tables, String name) {
    return (long) serialise(tables).length + new Table(0, 0, 0, 0, name).paddedBytes();
  }

  /** A directory as it goes into the file. */
  static byte[] serialise(List<Table> tables) {
    int bytes = tables.stream().mapToInt(Table::paddedBytes).sum();
    ByteBuffer out = ByteBuffer.allocate(bytes);
    for (Table table : tables) {
      int start = out.position();
      out.putLong(table.offset()).putInt(table.entries()).putInt(table.flags());
      out.put((byte) DIRTY_TRACKING).put((byte) table.granularityBits());
      out.putShort((short) table.utf8().length).putInt(0).put(table.utf8());
      out.position(start + table.paddedBytes());
    }
    return out.array();
  }

  /** What the header says of a directory. */
  HeaderExtension extension() {
    ByteBuffer fields = ByteBuffer.allocate(EXTENSION_BYTES);
    fields.putInt(tables.size()).putInt(0).putLong(directoryBytes).putLong(directoryOffset);
    return new HeaderExtension(HeaderExtension.BITMAPS, fields.array());
  }

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
    ByteBuffer directory = ByteBuffer.wrap(HeapBytes.read(file, offset, (int) bytes));
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
              && nameBytes <= MAX_NAME_BYTES
              && (directory.getInt(at + 12) & ~KNOWN_FLAGS) == 0
              && directory.get(at + 16) == DIRTY_TRACKING
              && directory.get(at + 17) >= MIN_GRANULARITY_BITS
              && directory.get(at + 17) <= MAX_GRANULARITY_BITS;
      byte[] utf8 = new byte[nameBytes];
      directory.get(at + (int) length - nameBytes, utf8);
      String name = new String(utf8, StandardCharsets.UTF_8);
      if (!sound) {
        throw broken("Bitmap '%s' doesn't satisfy the constraints".formatted(name));
      }
      if (directory.getInt(at + 20) != 0) {
        throw broken("Bitmap extra data is not supported");
      }
      tables.add(
          new Table(table, entries, directory.getInt(at + 12), directory.get(at + 17), name));
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

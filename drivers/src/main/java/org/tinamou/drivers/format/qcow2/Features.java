package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The bits by which an image says what a program must know to use it. */
final class Features {
  static final long INCOMPATIBLE_DIRTY = 1;
  static final long INCOMPATIBLE_CORRUPT = 1 << 1;
  static final long INCOMPATIBLE_DATA_FILE = 1 << 2;
  static final long INCOMPATIBLE_COMPRESSION = 1 << 3;
  static final long INCOMPATIBLE_EXTENDED_L2 = 1 << 4;
  static final long COMPATIBLE_LAZY_REFCOUNTS = 1;
  static final long AUTOCLEAR_BITMAPS = 1;
  static final long AUTOCLEAR_RAW_DATA_FILE = 1 << 1;
  static final long AUTOCLEAR_KNOWN = AUTOCLEAR_BITMAPS | AUTOCLEAR_RAW_DATA_FILE;

  private static final int NAME_ENTRY_BYTES = 48;
  private static final int NAME_BYTES = NAME_ENTRY_BYTES - 2;

  private record Name(int kind, int bit, String name) {}

  private static final List<Name> NAMES =
      List.of(
          new Name(0, 0, "dirty bit"),
          new Name(0, 1, "corrupt bit"),
          new Name(0, 2, "external data file"),
          new Name(0, 3, "compression type"),
          new Name(0, 4, "extended L2 entries"),
          new Name(1, 0, "lazy refcounts"),
          new Name(2, 0, "bitmaps"),
          new Name(2, 1, "raw external data"));

  private Features() {}

  /** The table of names that goes into images, for programs that do not know a bit. */
  static HeaderExtension names() {
    ByteBuffer table = ByteBuffer.allocate(NAMES.size() * NAME_ENTRY_BYTES);
    for (Name entry : NAMES) {
      int start = table.position();
      table.put((byte) entry.kind()).put((byte) entry.bit());
      table.put(entry.name().getBytes(StandardCharsets.US_ASCII));
      table.position(start + NAME_ENTRY_BYTES);
    }
    return new HeaderExtension(HeaderExtension.FEATURE_NAMES, table.array());
  }

  /** What an image's own table calls the incompatible bits, joined by commas. */
  static String describe(long bits, List<HeaderExtension> extensions) {
    List<String> described = new ArrayList<>();
    long left = bits;
    for (HeaderExtension extension : extensions) {
      if (extension.type() == HeaderExtension.FEATURE_NAMES) {
        // The last entry may be cut off where its name ends.
        int entries = (extension.data().length + NAME_ENTRY_BYTES - 1) / NAME_ENTRY_BYTES;
        ByteBuffer table =
            ByteBuffer.wrap(Arrays.copyOf(extension.data(), entries * NAME_ENTRY_BYTES));
        while (table.hasRemaining()) {
          int kind = table.get();
          int bit = table.get();
          byte[] name = new byte[NAME_BYTES];
          table.get(name);
          if (kind == 0 && bit >= 0 && bit < Long.SIZE && (left & 1L << bit) != 0) {
            left &= ~(1L << bit);
            described.add(text(name));
          }
        }
      }
    }
    if (left != 0) {
      described.add("Unknown incompatible feature: " + Long.toHexString(left));
    }
    return String.join(", ", described);
  }

  private static String text(byte[] name) {
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return new String(name, 0, length, StandardCharsets.UTF_8);
  }
}

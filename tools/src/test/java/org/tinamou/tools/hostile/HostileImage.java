package org.tinamou.tools.hostile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.tinamou.tools.ToolRun;

/** A qcow2 image in the making, into which values are put that no program would write. */
final class HostileImage {
  static final int CLUSTER = 1 << 16;
  static final long COPIED = 1L << 63;

  /** Offsets of fields in the header. */
  static final int BACKING_OFFSET = 8;

  static final int SIZE = 24;
  static final int L1_SIZE = 36;
  static final int L1_OFFSET = 40;
  static final int REFCOUNT_TABLE = 48;
  static final int REFCOUNT_TABLE_CLUSTERS = 56;
  static final int SNAPSHOTS = 60;
  static final int SNAPSHOTS_OFFSET = 64;
  static final int INCOMPATIBLE = 72;
  static final int HEADER_LENGTH = 100;

  private final Path path;

  private HostileImage(Path path) {
    this.path = path;
  }

  /** A sound image of 1 MiB. */
  static HostileImage sound(Path path) {
    return created(path, "-f", "qcow2", path.toString(), "1M");
  }

  /** An image that names another one, which need not exist. */
  static HostileImage naming(Path path, String backing, String format) {
    return created(path, "-f", "qcow2", "-u", "-b", backing, "-F", format, path.toString(), "1M");
  }

  private static HostileImage created(Path path, String... arguments) {
    String[] words = new String[arguments.length + 2];
    words[0] = "create";
    words[1] = "-q";
    System.arraycopy(arguments, 0, words, 2, arguments.length);
    ToolRun run = ToolRun.img(words);
    if (run.exitCode() != 0) {
      throw new IllegalStateException(run.err());
    }
    return new HostileImage(path);
  }

  /** An image whose data is in another file, which is made with it. */
  static HostileImage withDataFile(Path path, Path data) throws IOException {
    HostileImage image =
        created(path, "-f", "qcow2", "-o", "data_file=" + data, path.toString(), "1M");
    Files.deleteIfExists(data);
    return image;
  }

  /** Gives a name of the same length to the data file; fails if there is none. */
  HostileImage renameDataFile(String from, String to) throws IOException {
    byte[] bytes = Files.readAllBytes(path);
    byte[] wanted = from.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    byte[] other = to.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    for (int at = 104; at < CLUSTER - wanted.length; at++) {
      boolean here = ByteBuffer.wrap(bytes, at, wanted.length).equals(ByteBuffer.wrap(wanted));
      if (here && ByteBuffer.wrap(bytes).getInt(at - 4) == wanted.length) {
        System.arraycopy(new byte[wanted.length], 0, bytes, at, wanted.length);
        System.arraycopy(other, 0, bytes, at, other.length);
        ByteBuffer.wrap(bytes).putInt(at - 4, other.length);
        Files.write(path, bytes);
        return this;
      }
    }
    throw new IllegalStateException("no data file is named");
  }

  HostileImage with(long offset, int value) throws IOException {
    return put(offset, ByteBuffer.allocate(Integer.BYTES).putInt(0, value));
  }

  HostileImage with(long offset, long value) throws IOException {
    return put(offset, ByteBuffer.allocate(Long.BYTES).putLong(0, value));
  }

  HostileImage put(long offset, ByteBuffer bytes) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      channel.write(bytes, offset);
    }
    return this;
  }

  /** Data at the beginning, so that there are tables. */
  HostileImage written() {
    ToolRun run = ToolRun.io("-f", "qcow2", "-c", "write -P 7 0 64k", path.toString());
    if (run.exitCode() != 0) {
      throw new IllegalStateException(run.err());
    }
    return this;
  }

  HostileImage withSnapshot(String name) {
    ToolRun run = ToolRun.img("snapshot", "-c", name, path.toString());
    if (run.exitCode() != 0) {
      throw new IllegalStateException(run.err());
    }
    return this;
  }

  Path pathOf() {
    return path;
  }

  long longAt(long offset) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES);
    try (FileChannel channel = FileChannel.open(path)) {
      channel.read(bytes, offset);
    }
    return bytes.getLong(0);
  }

  /**
   * 34 MB that say they are a disk of 2 EiB: every entry of the largest first level leads to the
   * same table, in which every entry leads to the same cluster.
   */
  static void bomb(Path path) throws IOException {
    final int entries = 4_194_304;
    ByteBuffer all = ByteBuffer.allocate(4 * CLUSTER + entries * Long.BYTES);
    all.put(new byte[] {'Q', 'F', 'I', (byte) 0xfb}).putInt(3).putLong(0).putInt(0).putInt(16);
    all.putLong((long) entries * (CLUSTER / Long.BYTES) * CLUSTER).putInt(0).putInt(entries);
    all.putLong(4L * CLUSTER).putLong(CLUSTER).putInt(1).putInt(0).putLong(0);
    all.putLong(0).putLong(0).putLong(0).putInt(4).putInt(104);
    all.putLong(CLUSTER, 2L * CLUSTER);
    for (int at = 2 * CLUSTER; at < 2 * CLUSTER + 600 * Short.BYTES; at += Short.BYTES) {
      all.putShort(at, (short) 1);
    }
    for (int at = 3 * CLUSTER; at < 4 * CLUSTER; at += Long.BYTES) {
      all.putLong(at, COPIED | 4L * CLUSTER);
    }
    for (int at = 4 * CLUSTER; at < all.capacity(); at += Long.BYTES) {
      all.putLong(at, COPIED | 3L * CLUSTER);
    }
    Files.write(path, all.array());
  }
}

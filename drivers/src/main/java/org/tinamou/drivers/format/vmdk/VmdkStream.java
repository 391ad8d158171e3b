package org.tinamou.drivers.format.vmdk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionSchema.Option;

/**
 * A stream-optimized VMDK image that is written from its first byte to its last: a header with the
 * descriptor, the grains that have data in their order, each table behind its grains, and at the
 * end the directory and a footer. Grains are packed by {@link #pack} on whatever thread; all else
 * is one thread's at a time.
 */
public final class VmdkStream {
  /** What can be said about such an image. */
  public static final OptionSchema OPTIONS =
      new OptionSchema(
          List.of(
              Option.string("adapter_type", "ide (default), lsilogic, buslogic or legacyESX"),
              Option.string("hwversion", "VMDK hardware version")));

  /** The disk in pieces of this size. */
  public static final int GRAIN_BYTES = 65_536;

  /** Where the bytes go. */
  @FunctionalInterface
  public interface Sink {
    void write(byte[] bytes) throws IOException;
  }

  private static final int SECTOR_BYTES = 512;
  private static final int MAGIC = 0x564d444b;
  private static final int VERSION = 3;
  private static final int HAS_NEWLINES = 1;
  private static final int IS_COMPRESSED = 1 << 16;
  private static final int HAS_MARKERS = 1 << 17;
  private static final int DESCRIPTOR_SECTORS = 20;
  private static final int FIRST_GRAIN_SECTOR = 128;
  private static final int GRAINS_PER_TABLE = 512;
  private static final int DEFLATE = 1;
  private static final long DIRECTORY_AT_END = -1;
  private static final int GRAIN_HEAD_BYTES = 12;
  private static final int MARK_TABLE = 1;
  private static final int MARK_DIRECTORY = 2;
  private static final int MARK_FOOTER = 3;
  private static final long MAX_SECTOR = 0xffff_ffffL;
  private static final int GEOMETRY_SECTORS = 63;
  private static final int IDE_HEADS = 16;
  private static final int SCSI_HEADS = 255;
  private static final int MAX_IDE_CYLINDERS = 16_383;

  private final long sectors;
  private final String adapter;
  private final String hardware;
  private final Sink sink;
  private final List<Integer> directory = new ArrayList<>();
  private final int[] table = new int[GRAINS_PER_TABLE];
  private boolean tableUsed;
  private long nextGrain;
  private long sector;

  /**
   * Plans an image.
   *
   * @param sizeBytes the disk's size, in whole sectors
   * @param adapter the kind of controller that the descriptor names
   * @param hardware the version of virtual hardware that it names
   * @throws BlockException if the controller is not one of those the format knows
   */
  public VmdkStream(long sizeBytes, String adapter, String hardware, Sink sink)
      throws BlockException {
    Check.argument(sizeBytes % SECTOR_BYTES == 0, "%d bytes", sizeBytes);
    if (!List.of("ide", "lsilogic", "buslogic", "legacyESX").contains(adapter)) {
      throw new BlockException(Errno.EINVAL, "Unknown adapter type: '" + adapter + "'");
    }
    if (!hardware.matches("[0-9]{1,4}")) {
      throw new BlockException(Errno.EINVAL, "Invalid hardware version: '" + hardware + "'");
    }
    this.sectors = sizeBytes / SECTOR_BYTES;
    this.adapter = adapter;
    this.hardware = hardware;
    this.sink = sink;
  }

  /**
   * A grain as {@link #grain} takes it.
   *
   * @param bytes {@link #GRAIN_BYTES} of them
   * @param level as {@link Deflater} counts it
   */
  @AnyThread
  public static byte[] pack(ByteBuffer bytes, int level) {
    try (Deflater deflater = new Deflater(level)) {
      deflater.setInput(bytes);
      deflater.finish();
      byte[] packed = new byte[GRAIN_BYTES + GRAIN_BYTES / 100 + 64];
      int length = deflater.deflate(packed);
      Check.state(deflater.finished(), "packed data is hardly longer than what it came from");
      return Arrays.copyOf(packed, length);
    }
  }

  /** Writes what comes before all data. */
  public void begin() throws IOException {
    byte[] descriptor = descriptor().getBytes(StandardCharsets.US_ASCII);
    byte[] head = new byte[FIRST_GRAIN_SECTOR * SECTOR_BYTES];
    header(ByteBuffer.wrap(head), DIRECTORY_AT_END);
    System.arraycopy(descriptor, 0, head, SECTOR_BYTES, descriptor.length);
    write(head);
  }

  private void header(ByteBuffer target, long directorySector) {
    target
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(MAGIC)
        .putInt(VERSION)
        .putInt(HAS_NEWLINES | IS_COMPRESSED | HAS_MARKERS)
        .putLong(sectors)
        .putLong(GRAIN_BYTES / SECTOR_BYTES)
        .putLong(1) // where the descriptor is
        .putLong(DESCRIPTOR_SECTORS)
        .putInt(GRAINS_PER_TABLE)
        .putLong(0) // no second directory
        .putLong(directorySector)
        .putLong(FIRST_GRAIN_SECTOR)
        .put((byte) 0) // closed in an orderly way
        .put("\n \r\n".getBytes(StandardCharsets.US_ASCII))
        .putShort((short) DEFLATE);
  }

  private String descriptor() {
    int heads = adapter.equals("ide") ? IDE_HEADS : SCSI_HEADS;
    long cylinders = sectors / ((long) heads * GEOMETRY_SECTORS);
    if (heads == IDE_HEADS) {
      cylinders = Math.min(cylinders, MAX_IDE_CYLINDERS);
    }
    String rest =
        """
        parentCID=ffffffff
        createType="streamOptimized"

        # Extent description
        RW %d SPARSE "disk.vmdk"

        # The Disk Data Base
        #DDB

        ddb.virtualHWVersion = "%s"
        ddb.geometry.cylinders = "%d"
        ddb.geometry.heads = "%d"
        ddb.geometry.sectors = "%d"
        ddb.adapterType = "%s"
        """
            .formatted(sectors, hardware, cylinders, heads, GEOMETRY_SECTORS, adapter);
    // Names the content for images that stand on this one; all ones would mean that there is none.
    int identity = rest.hashCode() & 0x7fff_ffff;
    return "# Disk DescriptorFile\nversion=1\nCID=%08x\n".formatted(identity) + rest;
  }

  /**
   * Writes a grain. Those that are left out read as zeroes.
   *
   * @param index grows from call to call
   * @param packed from {@link #pack}
   */
  public void grain(long index, byte[] packed) throws IOException, BlockException {
    Check.argument(index >= nextGrain, "grain %d after %d", index, nextGrain);
    endTablesBefore(index / GRAINS_PER_TABLE);
    table[(int) (index % GRAINS_PER_TABLE)] = place();
    tableUsed = true;
    nextGrain = index + 1;
    ByteBuffer bytes = inSectors(GRAIN_HEAD_BYTES + packed.length);
    bytes.putLong(index * (GRAIN_BYTES / SECTOR_BYTES)).putInt(packed.length).put(packed);
    write(bytes);
  }

  /** Writes what comes behind all data. */
  public void end() throws IOException, BlockException {
    long grains = Math.ceilDiv(sectors * SECTOR_BYTES, (long) GRAIN_BYTES);
    endTablesBefore(Math.ceilDiv(grains, (long) GRAINS_PER_TABLE));
    ByteBuffer entries = inSectors(directory.size() * Integer.BYTES);
    directory.forEach(entries::putInt);
    mark(MARK_DIRECTORY, entries.capacity() / SECTOR_BYTES);
    int at = place();
    write(entries);
    mark(MARK_FOOTER, 1);
    ByteBuffer footer = inSectors(SECTOR_BYTES);
    header(footer, Integer.toUnsignedLong(at));
    write(footer);
    write(new byte[SECTOR_BYTES]); // the mark of the end
  }

  /** All tables up to one, which is not begun yet unless it is the current one. */
  private void endTablesBefore(long next) throws IOException, BlockException {
    while (directory.size() < next) {
      if (!tableUsed) {
        directory.add(0);
        continue;
      }
      ByteBuffer entries = inSectors(GRAINS_PER_TABLE * Integer.BYTES);
      for (int entry : table) {
        entries.putInt(entry);
      }
      mark(MARK_TABLE, entries.capacity() / SECTOR_BYTES);
      directory.add(place());
      write(entries);
      Arrays.fill(table, 0);
      tableUsed = false;
    }
  }

  private void mark(int type, long sectorsThatFollow) throws IOException {
    write(inSectors(SECTOR_BYTES).putLong(sectorsThatFollow).putInt(0).putInt(type));
  }

  /** Where the next byte goes. */
  private int place() throws BlockException {
    if (sector > MAX_SECTOR) {
      throw BlockException.of(Errno.EFBIG, "such an image ends at 2 TiB");
    }
    return (int) sector;
  }

  private static ByteBuffer inSectors(int bytes) {
    int whole = bytes + SECTOR_BYTES - 1 & -SECTOR_BYTES;
    return ByteBuffer.allocate(whole).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void write(ByteBuffer buffer) throws IOException {
    byte[] bytes = new byte[buffer.capacity()];
    buffer.get(0, bytes);
    write(bytes);
  }

  private void write(byte[] bytes) throws IOException {
    sink.write(bytes);
    sector += bytes.length / SECTOR_BYTES;
  }
}

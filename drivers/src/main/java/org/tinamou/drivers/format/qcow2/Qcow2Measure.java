package org.tinamou.drivers.format.qcow2;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.format.luks.LuksRequest;
import org.tinamou.drivers.format.luks.LuksVolume;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionValues;

/**
 * How large a new image becomes.
 *
 * @param clusterBytes in what pieces it is allocated
 * @param refcountOrder the logarithm of a count's width in bits
 * @param entryBytes what a second-level entry takes
 * @param takesAll whether it is to be expected that all of it gets allocated
 * @param version3 whether it can hold bitmaps
 * @param encryptionBytes what the header of its encryption takes
 */
public record Qcow2Measure(
    long clusterBytes,
    int refcountOrder,
    int entryBytes,
    boolean takesAll,
    boolean version3,
    long encryptionBytes) {
  private static final int EXTENDED_ENTRY_BYTES = 16;
  private static final int SECTOR_BYTES = 512;
  private static final List<String> PLAIN_NAMES = List.of("0.10", "v2");
  private static final List<String> FULL_NAMES = List.of("1.1", "v3");

  /** Reads what was said of the new image. */
  @AnyThread
  public static Qcow2Measure of(OptionValues values) throws OptionException, BlockException {
    long clusterBytes = values.size("cluster_size", Qcow2Creator.Request.DEFAULT_CLUSTER_BYTES);
    Qcow2Creator.clusterBits(clusterBytes);
    String compat = values.string("compat");
    if (compat != null && !PLAIN_NAMES.contains(compat) && !FULL_NAMES.contains(compat)) {
      throw new BlockException(Errno.EINVAL, "Invalid compatibility level: '" + compat + "'");
    }
    boolean version3 = compat == null || FULL_NAMES.contains(compat);
    long bits = values.number("refcount_bits", Qcow2Creator.Request.DEFAULT_REFCOUNT_BITS);
    int order = Qcow2Creator.refcountOrder(bits, true);
    if (!version3 && bits != Qcow2Creator.Request.DEFAULT_REFCOUNT_BITS) {
      throw new BlockException(
          Errno.EINVAL,
          "Different refcount widths than 16 bits require compatibility level 1.1 or above"
              + " (use compat=1.1 or greater)");
    }
    boolean reserved = reserves(values.string("preallocation"));
    NewEncryption encryption = Qcow2CreationOptions.encryption(values);
    LuksRequest luks = encryption == null ? null : encryption.luks();
    return new Qcow2Measure(
        clusterBytes,
        order,
        values.bool("extended_l2", false) ? EXTENDED_ENTRY_BYTES : Geometry.ENTRY_BYTES,
        reserved || values.has("backing_file"),
        version3,
        luks == null ? 0 : LuksVolume.headerSectors(luks) * SECTOR_BYTES);
  }

  private static boolean reserves(@Nullable String preallocation) throws BlockException {
    if (preallocation == null) {
      return false;
    }
    PreallocationMode mode = PreallocationMode.parse(preallocation);
    if (mode == null) {
      throw new BlockException(Errno.EINVAL, "invalid parameter value: " + preallocation);
    }
    return mode == PreallocationMode.FALLOC || mode == PreallocationMode.FULL;
  }

  private static long divideUp(long value, long by) {
    return (value + by - 1) / by;
  }

  /** A guest size rounded up to whole clusters. */
  @AnyThread
  public long wholeClusters(long bytes) {
    return divideUp(bytes, clusterBytes) * clusterBytes;
  }

  /** What an image takes besides its guest's data once all of that is allocated. */
  @AnyThread
  public long metadataBytes(long sizeBytes) throws BlockException {
    long data = wholeClusters(sizeBytes);
    long perTable = clusterBytes / entryBytes;
    long tables = divideUp(data / clusterBytes, perTable);
    long perFirstLevel = clusterBytes / Geometry.ENTRY_BYTES;
    long firstLevel = divideUp(tables, perFirstLevel) * clusterBytes;
    if (tables > Qcow2Header.MAX_FIRST_LEVEL_BYTES / Geometry.ENTRY_BYTES) {
      throw new BlockException(
          Errno.EFBIG, "The image size is too large (try using a larger cluster size)");
    }
    long counted =
        wholeClusters(encryptionBytes) + clusterBytes + tables * clusterBytes + firstLevel;
    return counted + countBytes(counted + data);
  }

  /**
   * What a copy of a bitmap takes, without its entry in the directory.
   *
   * @param sizeBytes of the disk
   */
  @AnyThread
  public long bitmapBytes(long sizeBytes, long granularityBytes) {
    long bytes = divideUp(divideUp(sizeBytes, granularityBytes), Byte.SIZE);
    long clusters = divideUp(bytes, clusterBytes);
    return (clusters + divideUp(clusters * Long.BYTES, clusterBytes)) * clusterBytes;
  }

  /** What the directory takes with bitmaps of these names. */
  @AnyThread
  public long directoryBytes(List<String> names) {
    List<BitmapTables.Table> tables =
        names.stream().map(name -> new BitmapTables.Table(0, 0, 0, 0, name)).toList();
    return wholeClusters(BitmapTables.serialise(tables).length);
  }

  /** What the counts of clusters take, those of their own clusters among them. */
  private long countBytes(long bytes) {
    long clusters = bytes / clusterBytes;
    long perBlock = clusterBytes * Byte.SIZE >> refcountOrder;
    long perTable = clusterBytes / Geometry.ENTRY_BYTES;
    long blocks = 0;
    long tables = 0;
    long total = -1;
    while (total != clusters + blocks + tables) {
      total = clusters + blocks + tables;
      blocks = divideUp(total, perBlock);
      tables = divideUp(blocks, perTable);
    }
    return (blocks + tables) * clusterBytes;
  }
}

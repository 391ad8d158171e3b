package org.tinamou.drivers.format.qcow2;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;

/** Checks what somebody wants of a new image, then makes it. */
public final class Qcow2Creator {
  private static final int SECTOR_BYTES = 512;
  private static final int MIN_EXTENDED_CLUSTER_BYTES = 16_384;
  private static final long MAX_BYTES = Long.MAX_VALUE & -(1L << 30);
  private static final String RESIZE = "Could not resize image: ";
  private static final String ONLY_VERSION_3 =
      " only supported with compatibility level 1.1 and above (use version=v3 or greater)";

  /**
   * A new image.
   *
   * @param sizeBytes a multiple of 512
   * @param clusterBytes a power of two from 512 to 2 MiB
   * @param refcountBits a power of two from 1 to 64
   * @param compressionType "zlib" or "zstd"
   * @param backingName as it goes into the image, or null
   * @param backingFormat its format, or null
   */
  public record Request(
      long sizeBytes,
      boolean version3,
      long clusterBytes,
      long refcountBits,
      boolean lazyRefcounts,
      String compressionType,
      PreallocationMode preallocation,
      @Nullable String backingName,
      @Nullable String backingFormat,
      Extras extras) {
    public static final long DEFAULT_CLUSTER_BYTES = 65_536;
    public static final long DEFAULT_REFCOUNT_BITS = 16;

    /** An image as the reference makes it when nothing but a size is given. */
    public static Request ofSize(long sizeBytes) {
      return new Request(
          sizeBytes,
          true,
          DEFAULT_CLUSTER_BYTES,
          DEFAULT_REFCOUNT_BITS,
          false,
          "zlib",
          PreallocationMode.OFF,
          null,
          null,
          Extras.NONE);
    }

    /** The same of another size. */
    public Request withSizeBytes(long bytes) {
      return new Request(
          bytes,
          version3,
          clusterBytes,
          refcountBits,
          lazyRefcounts,
          compressionType,
          preallocation,
          backingName,
          backingFormat,
          extras);
    }
  }

  /**
   * What few images have.
   *
   * @param extendedEntries whether parts of clusters are told apart
   * @param encryption how its clusters are to be encrypted, or null
   * @param dataFile the name of the file for the guest's clusters, or null
   * @param rawDataFile whether that one is to show the disk by itself
   */
  public record Extras(
      boolean extendedEntries,
      @Nullable NewEncryption encryption,
      @Nullable String dataFile,
      boolean rawDataFile) {
    public static final Extras NONE = new Extras(false, null, null, false);
  }

  private Qcow2Creator() {}

  /**
   * Makes an image in an empty file. One that is to be preallocated has no length yet: it gets it
   * when it is opened and made longer.
   *
   * @param target the file, which may be written and grow
   * @throws BlockException with the reference's message if the request cannot be met
   */
  @InCoroutine
  public static void create(BlockBackend target, Request request) throws BlockException {
    Qcow2Layout.write(target, plan(request));
  }

  private static BlockException invalid(String message) {
    return new BlockException(Errno.EINVAL, message);
  }

  private static Qcow2Layout.Plan plan(Request request) throws BlockException {
    if (request.sizeBytes() % SECTOR_BYTES != 0) {
      throw invalid("Image size must be a multiple of " + SECTOR_BYTES + " bytes");
    }
    int clusterBits = clusterBits(request.clusterBytes());
    checkVersion(request);
    int refcountOrder = refcountOrder(request.refcountBits(), request.version3());
    Extras extras = request.extras();
    if (extras.rawDataFile() && extras.dataFile() == null) {
      throw invalid("data-file-raw requires data-file");
    }
    if (extras.rawDataFile() && request.backingName() != null) {
      throw invalid("Backing file and data-file-raw cannot be used at the same time");
    }
    if (extras.dataFile() != null && !request.version3()) {
      throw invalid("External data files are" + ONLY_VERSION_3);
    }
    boolean zstd = request.compressionType().equals("zstd");
    if (zstd && !request.version3()) {
      throw invalid("Non-zlib compression type is" + ONLY_VERSION_3);
    }
    Geometry geometry = new Geometry(clusterBits, refcountOrder, extras.extendedEntries());
    checkSize(request.sizeBytes());
    if (geometry.firstLevelEntries(request.sizeBytes())
        > Qcow2Header.MAX_FIRST_LEVEL_BYTES / Geometry.ENTRY_BYTES) {
      throw BlockException.of(Errno.EFBIG, RESIZE + "Failed to grow the L1 table");
    }
    return new Qcow2Layout.Plan(
        geometry,
        request.version3() ? 3 : 2,
        request.preallocation() == PreallocationMode.OFF ? request.sizeBytes() : 0,
        request.sizeBytes(),
        request.lazyRefcounts(),
        zstd ? Qcow2Header.COMPRESSION_ZSTD : Qcow2Header.COMPRESSION_ZLIB,
        request.backingName(),
        request.backingFormat(),
        extras.dataFile(),
        extras.rawDataFile());
  }

  private static void checkSize(long bytes) throws BlockException {
    if (bytes < 0) {
      throw invalid(RESIZE + "Image size cannot be negative");
    }
    if (bytes > MAX_BYTES) {
      throw invalid(RESIZE + "offset(%d) exceeds maximum(%d)".formatted(bytes, MAX_BYTES));
    }
  }

  private static void checkVersion(Request request) throws BlockException {
    boolean extended = request.extras().extendedEntries();
    if (extended && request.clusterBytes() < MIN_EXTENDED_CLUSTER_BYTES) {
      throw invalid(
          "Extended L2 entries are only supported with cluster sizes of at least "
              + MIN_EXTENDED_CLUSTER_BYTES
              + " bytes");
    }
    boolean preallocated = request.preallocation() != PreallocationMode.OFF;
    boolean raw = request.extras().rawDataFile();
    if (preallocated && request.backingName() != null && !extended && !raw) {
      throw invalid(
          "Backing file and preallocation can only be used at the same time if extended_l2 is on");
    }
    if (request.backingFormat() != null && request.backingName() == null) {
      throw invalid("Backing format cannot be used without backing file");
    }
    if (!request.version3() && extended) {
      throw invalid("Extended L2 entries are" + ONLY_VERSION_3);
    }
    if (!request.version3() && request.lazyRefcounts()) {
      throw invalid("Lazy refcounts" + ONLY_VERSION_3);
    }
  }

  static int clusterBits(long bytes) throws BlockException {
    long least = 1L << Geometry.MIN_CLUSTER_BITS;
    long most = 1L << Geometry.MAX_CLUSTER_BITS;
    if (bytes < least || bytes > most || Long.bitCount(bytes) != 1) {
      throw invalid(
          "Cluster size must be a power of two between %d and %dk".formatted(least, most >> 10));
    }
    return Long.numberOfTrailingZeros(bytes);
  }

  static int refcountOrder(long bits, boolean version3) throws BlockException {
    if (bits < 1 || bits > Long.SIZE || Long.bitCount(bits) != 1) {
      throw invalid("Refcount width must be a power of two and may not exceed 64 bits");
    }
    if (bits != Request.DEFAULT_REFCOUNT_BITS && !version3) {
      throw invalid(
          "Different refcount widths than 16 bits require compatibility level 1.1 or above (use"
              + " version=v3 or greater)");
    }
    return Long.numberOfTrailingZeros(bits);
  }
}

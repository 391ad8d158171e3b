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
  private static final int MAX_BACKING_NAME_BYTES = 1023;

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
      @Nullable String backingFormat) {
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
          null);
    }
  }

  private Qcow2Creator() {}

  /**
   * Makes an image in an empty file.
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
    int refcountOrder = refcountOrder(request);
    if (request.lazyRefcounts() && !request.version3()) {
      throw invalid(
          "Lazy refcounts only supported with compatibility level 1.1 and above (use version=v3 or greater)");
    }
    int compression =
        switch (request.compressionType()) {
          case "zlib" -> Qcow2Header.COMPRESSION_ZLIB;
          case "zstd" -> Qcow2Header.COMPRESSION_ZSTD;
          default ->
              throw invalid(
                  "Parameter 'compression-type' does not accept value '"
                      + request.compressionType()
                      + "'");
        };
    if (compression != Qcow2Header.COMPRESSION_ZLIB && !request.version3()) {
      throw invalid(
          "Non-zlib compression type is only supported with compatibility level 1.1 and above (use version=v3 or greater)");
    }
    String backing = request.backingName();
    if (backing != null && backing.length() > MAX_BACKING_NAME_BYTES) {
      throw invalid("Backing file name too long");
    }
    return new Qcow2Layout.Plan(
        new Geometry(clusterBits, refcountOrder),
        request.version3() ? 3 : 2,
        request.sizeBytes(),
        request.lazyRefcounts(),
        compression,
        backing,
        request.backingFormat());
  }

  private static int clusterBits(long bytes) throws BlockException {
    long least = 1L << Geometry.MIN_CLUSTER_BITS;
    long most = 1L << Geometry.MAX_CLUSTER_BITS;
    if (bytes < least || bytes > most || Long.bitCount(bytes) != 1) {
      throw invalid(
          "Cluster size must be a power of two between %d and %dk".formatted(least, most >> 10));
    }
    return Long.numberOfTrailingZeros(bytes);
  }

  private static int refcountOrder(Request request) throws BlockException {
    long bits = request.refcountBits();
    if (bits < 1 || bits > Long.SIZE || Long.bitCount(bits) != 1) {
      throw invalid("Refcount width must be a power of two and may not exceed 64 bits");
    }
    if (bits != Request.DEFAULT_REFCOUNT_BITS && !request.version3()) {
      throw invalid(
          "Different refcount widths than 16 bits require compatibility level 1.1 or above (use version=v3 or greater)");
    }
    return Long.numberOfTrailingZeros(bits);
  }
}

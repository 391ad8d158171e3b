package org.tinamou.drivers.format.qcow2;

import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Errno;
import org.tinamou.base.Parsed;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.format.luks.LuksDescription;
import org.tinamou.drivers.format.luks.LuksHeader;
import org.tinamou.qapi.Json;

/** What an image's first cluster tells of it. Pure functions over bytes. */
public final class Qcow2Description {
  /** What has to be there to ask {@link #bytesWanted}. */
  public static final int FIRST_BYTES = 512;

  private static final int SECTOR_BYTES = 512;

  private Qcow2Description() {}

  /**
   * How much of the image's beginning {@link #of} wants to see.
   *
   * @param start the first {@link #FIRST_BYTES}
   */
  @AnyThread
  public static int bytesWanted(ByteBuffer start) {
    return Qcow2Header.bytesWanted(start);
  }

  /**
   * Reads a description.
   *
   * @param start as much as {@link #bytesWanted} says, with zeroes behind the end of a shorter file
   * @throws BlockException with the message that opening the image would end with
   */
  @AnyThread
  public static ImageDescription of(ByteBuffer start) throws BlockException {
    // No switch over types: linking one takes longer than the rest of a description.
    Parsed<Qcow2Header> parsed = Qcow2Header.parse(start);
    if (parsed instanceof Parsed.Value<Qcow2Header> value) {
      Qcow2Header header = value.value();
      Qcow2Type.refuseUnsupported(header, true, false);
      return of(header, header.sizeBytes(), List.of(), null);
    }
    throw new BlockException(Errno.EINVAL, ((Parsed.Malformed<Qcow2Header>) parsed).message());
  }

  static ImageDescription of(Qcow2Image image, Qcow2Header header) {
    Encryption encryption = image.encryption();
    return of(
        header,
        image.sizeBytes(),
        image.bitmaps().tables(),
        encryption == null ? null : encryption.luksHeader());
  }

  static ImageDescription of(
      Qcow2Header header,
      long sizeBytes,
      List<BitmapTables.Table> bitmaps,
      @Nullable LuksHeader encryption) {
    Json.Members specific = new Json.Members();
    specific.put("compat", header.isVersion3() ? "1.1" : "0.10");
    specific.put(
        "compression-type",
        header.compressionType() == Qcow2Header.COMPRESSION_ZSTD ? "zstd" : "zlib");
    if (header.isVersion3()) {
      specific.put(
          "lazy-refcounts", (header.compatible() & Features.COMPATIBLE_LAZY_REFCOUNTS) != 0);
    }
    specific.put("refcount-bits", 1L << header.geometry().refcountOrder());
    String dataFile = header.dataFileName();
    if (dataFile != null) {
      specific.put("data-file", dataFile);
    }
    if (header.hasFeature(Features.INCOMPATIBLE_DATA_FILE)) {
      specific.put("data-file-raw", (header.autoclear() & Features.AUTOCLEAR_RAW_DATA_FILE) != 0);
    }
    if (header.isVersion3()) {
      specific.put("corrupt", header.hasFeature(Features.INCOMPATIBLE_CORRUPT));
      specific.put("extended-l2", header.hasFeature(Features.INCOMPATIBLE_EXTENDED_L2));
    }
    if (!bitmaps.isEmpty()) {
      specific.put("bitmaps", describe(bitmaps));
    }
    if (header.encryption() != 0) {
      specific.put("encrypt", encryption(header, encryption));
    }
    ImageDescription description =
        new ImageDescription(
            sizeBytes + SECTOR_BYTES - 1 & -SECTOR_BYTES,
            header.geometry().clusterBytes(),
            header.hasFeature(Features.INCOMPATIBLE_DIRTY),
            header.backingName(),
            header.backingFormat(),
            hasMore(header),
            specific);
    return header.encryption() == 0 ? description : description.withEncryption();
  }

  private static Json encryption(Qcow2Header header, @Nullable LuksHeader inner) {
    try {
      Json.Members members = inner == null ? new Json.Members() : LuksDescription.members(inner);
      return members.put("format", Encryption.formatName(header.encryption()));
    } catch (BlockException e) {
      throw new IllegalStateException("a header that was checked", e);
    }
  }

  private static Json describe(List<BitmapTables.Table> bitmaps) {
    Json.Array all = new Json.Array();
    for (BitmapTables.Table bitmap : bitmaps) {
      Json.Array flags = new Json.Array();
      if (bitmap.isInUse()) {
        flags.add(new Json.Text("in-use"));
      }
      if ((bitmap.flags() & BitmapTables.AUTO) != 0) {
        flags.add(new Json.Text("auto"));
      }
      all.add(
          new Json.Members()
              .put("flags", flags)
              .put("name", bitmap.name())
              .put("granularity", 1L << bitmap.granularityBits()));
    }
    return all;
  }

  private static boolean hasMore(Qcow2Header header) {
    return header.snapshots() != 0
        || header.encryption() != 0
        || (header.autoclear() & Features.AUTOCLEAR_BITMAPS) != 0;
  }
}

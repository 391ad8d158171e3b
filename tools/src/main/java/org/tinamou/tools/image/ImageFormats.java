package org.tinamou.tools.image;

import java.util.List;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/** The formats and protocols that users may name. */
public final class ImageFormats {
  public static final String RAW = "raw";
  public static final String FILE = "file";
  public static final String QCOW2 = "qcow2";

  public static final String LUKS = "luks";

  private static final List<String> SUPPORTED = List.of(FILE, LUKS, QCOW2, RAW);

  /** Those the reference knows. */
  private static final List<String> LATER =
      List.of(
          "blkdebug",
          "blklogwrites",
          "blkverify",
          "bochs",
          "cloop",
          "compress",
          "copy-before-write",
          "copy-on-read",
          "dmg",
          "ftp",
          "ftps",
          "gluster",
          "host_cdrom",
          "host_device",
          "http",
          "https",
          "iscsi",
          "iser",
          "nbd",
          "nfs",
          "null-aio",
          "null-co",
          "nvme",
          "parallels",
          "preallocate",
          "qcow",
          "qed",
          "quorum",
          "rbd",
          "replication",
          "snapshot-access",
          "ssh",
          "throttle",
          "vdi",
          "vhdx",
          "vmdk",
          "vpc",
          "vvfat");

  private static final List<String> NOT_CREATABLE =
      List.of(
          "blkdebug",
          "blklogwrites",
          "blkverify",
          "bochs",
          "cloop",
          "compress",
          "copy-before-write",
          "copy-on-read",
          "dmg",
          "null-aio",
          "null-co",
          "nvme",
          "preallocate",
          "quorum",
          "replication",
          "snapshot-access",
          "throttle",
          "vvfat");

  private ImageFormats() {}

  public static boolean isKnown(String format) {
    return SUPPORTED.contains(format) || LATER.contains(format);
  }

  public static boolean isSupported(String format) {
    return SUPPORTED.contains(format);
  }

  /** Whether images of a known format can be made at all. */
  public static boolean isCreatable(String format) {
    return !NOT_CREATABLE.contains(format);
  }

  /** What to say of a format that will come. */
  public static String notYet(String format) {
    return "Format '" + format + "' is not supported by this version of Tinamou";
  }

  /** Checks the name of a format to open an image with. */
  public static void requireOpenable(String format) throws BlockException {
    if (!isKnown(format)) {
      throw new BlockException(Errno.EINVAL, "Unknown driver '" + format + "'");
    }
    if (!isSupported(format)) {
      throw new BlockException(Errno.EOPNOTSUPP, notYet(format));
    }
  }
}

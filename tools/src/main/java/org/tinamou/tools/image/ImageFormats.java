package org.tinamou.tools.image;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/** The formats and protocols that users may name, and how a format is recognised. */
public final class ImageFormats {
  public static final String RAW = "raw";
  public static final String FILE = "file";

  /** How much of an image's beginning tells its format. */
  public static final int HEADER_BYTES = 512;

  private static final List<String> SUPPORTED = List.of(FILE, RAW);

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
          "luks",
          "nbd",
          "nfs",
          "null-aio",
          "null-co",
          "nvme",
          "parallels",
          "preallocate",
          "qcow",
          "qcow2",
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

  /** Bytes at a fixed place that only one format has. */
  private record Signature(String format, int offset, String bytes) {
    boolean matches(byte[] header) {
      if (offset + bytes.length() > header.length) {
        return false;
      }
      for (int index = 0; index < bytes.length(); index++) {
        if (header[offset + index] != (byte) bytes.charAt(index)) {
          return false;
        }
      }
      return true;
    }
  }

  private static final List<Signature> SIGNATURES =
      List.of(
          new Signature("qcow", 0, "QFI\u00fb\0\0\0\1"),
          new Signature("qcow2", 0, "QFI\u00fb\0\0\0\2"),
          new Signature("qcow2", 0, "QFI\u00fb\0\0\0\3"),
          new Signature("qcow2", 0, "QFI\u00fb"),
          new Signature("qed", 0, "QED\0"),
          new Signature("vmdk", 0, "KDMV"),
          new Signature("vmdk", 0, "COWD"),
          new Signature("vdi", 64, "\u007f\u0010\u00da\u00be"),
          new Signature("vhdx", 0, "vhdxfile"),
          new Signature("vpc", 0, "conectix"),
          new Signature("parallels", 0, "WithoutFreeSpace"),
          new Signature("parallels", 0, "WithouFreSpacExt"),
          new Signature("luks", 0, "LUKS\u00ba\u00be\0\1"),
          new Signature("bochs", 0, "Bochs Virtual HD Image"),
          new Signature("cloop", 0, "#!/bin/sh\n#V2.0 Format\nmodprobe cloop"));

  private static final String VMDK_DESCRIPTOR = "# disk descriptorfile";

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

  /**
   * The format a header or a name belongs to, or null if it looks like none.
   *
   * @param header the beginning of the image
   * @param name the image's name
   */
  public static @Nullable String probe(byte[] header, String name) {
    String format = probeHeader(header);
    return format == null && name.toLowerCase(Locale.ROOT).endsWith(".dmg") ? "dmg" : format;
  }

  /** The format a header belongs to, or null if it looks like none. */
  public static @Nullable String probeHeader(byte[] header) {
    for (Signature signature : SIGNATURES) {
      if (signature.matches(header)) {
        return signature.format();
      }
    }
    return isVmdkDescriptor(header) ? "vmdk" : null;
  }

  /** A text whose first line, apart from comments and empty lines, is that of a disk descriptor. */
  private static boolean isVmdkDescriptor(byte[] header) {
    String text = new String(header, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
    return text.startsWith(VMDK_DESCRIPTOR);
  }
}

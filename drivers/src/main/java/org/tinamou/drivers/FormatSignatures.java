package org.tinamou.drivers;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/** How the beginnings of images tell their formats. */
public final class FormatSignatures {
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

  private FormatSignatures() {}

  /**
   * The format a header or a name belongs to, or null if it looks like none. It need not be one
   * that this program has.
   *
   * @param header the first 512 bytes of the image, or all of a shorter one
   */
  @AnyThread
  public static @Nullable String probe(byte[] header, String fileName) {
    for (Signature signature : SIGNATURES) {
      if (signature.matches(header)) {
        return signature.format();
      }
    }
    if (isVmdkDescriptor(header)) {
      return "vmdk";
    }
    return fileName.toLowerCase(Locale.ROOT).endsWith(".dmg") ? "dmg" : null;
  }

  /** A text that begins as a disk descriptor does. */
  private static boolean isVmdkDescriptor(byte[] header) {
    String text = new String(header, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
    return text.startsWith(VMDK_DESCRIPTOR);
  }
}

package org.tinamou.tools.img;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;
import org.tinamou.block.Permission;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.FormatSignatures;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.format.luks.LuksDescription;
import org.tinamou.drivers.format.luks.LuksHeader;
import org.tinamou.drivers.format.qcow2.Qcow2Description;
import org.tinamou.tools.image.GlancedFile;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.ImageName;
import org.tinamou.tools.image.OpenImage;

/** An image in a file of the host, described without a loop from the file's first bytes. */
final class PlainImage {
  private PlainImage() {}

  /** Whether an image can be described so. */
  static boolean isPlain(String name, @Nullable String format) {
    int colon = name.indexOf(':');
    boolean hasProtocol = colon >= 0 && name.lastIndexOf('/', colon) < 0;
    return (!hasProtocol || name.startsWith("file:"))
        && (format == null || ImageFormats.isSupported(format));
  }

  /**
   * Describes an image.
   *
   * @param format null to look at its beginning
   * @param forceShare whether it does not matter who else uses it
   */
  static ImageInfo describe(String name, @Nullable String format, boolean forceShare)
      throws BlockException {
    String text = ImageName.pathText(name);
    if (text.isEmpty()) {
      throw new BlockException(Errno.EINVAL, "The 'file' block driver requires a file name");
    }
    Path path = ImageName.path(name);
    try (GlancedFile file = GlancedFile.open(path, text)) {
      String found = format == null ? probe(file, text) : format;
      long length = (file.sizeBytes() + OpenImage.SECTOR_BYTES - 1) & -OpenImage.SECTOR_BYTES;
      ImageDescription description = null;
      if (found.equals(ImageFormats.QCOW2)) {
        if (!forceShare) {
          file.refuseUseByOthers(Permission.WRITE | Permission.RESIZE);
        }
        description = qcow2(file);
        length = description.lengthBytes();
      } else if (found.equals(ImageFormats.LUKS)) {
        description = luks(file);
        length = description.lengthBytes();
      }
      return new ImageInfo(
          text, text, found, length, file.allocatedBytes(), true, description, List.of());
    }
  }

  private static String probe(GlancedFile file, String text) throws BlockException {
    byte[] header;
    try {
      header = file.start(NodeOpener.PROBE_BYTES);
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not read image for determining its format");
    }
    String found = FormatSignatures.probe(header, text);
    if (found == null) {
      return ImageFormats.RAW;
    }
    ImageFormats.requireOpenable(found);
    return found;
  }

  private static ImageDescription luks(GlancedFile file) throws BlockException {
    try {
      return LuksDescription.of(file.start(LuksHeader.BYTES), file.sizeBytes());
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Unable to read LUKS header");
    }
  }

  private static ImageDescription qcow2(GlancedFile file) throws BlockException {
    try {
      ByteBuffer first = ByteBuffer.wrap(file.start(Qcow2Description.FIRST_BYTES));
      int wanted = Qcow2Description.bytesWanted(first);
      return wanted <= first.limit()
          ? Qcow2Description.of(first)
          : Qcow2Description.of(ByteBuffer.wrap(file.start(wanted)));
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not read qcow2 header");
    }
  }
}

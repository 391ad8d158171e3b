package org.tinamou.tools.img;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.poller.LinuxHostFiles;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.FormatSignatures;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.format.qcow2.Qcow2Description;
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
   */
  static ImageInfo describe(String name, @Nullable String format) throws BlockException {
    String text = ImageName.pathText(name);
    if (text.isEmpty()) {
      throw new BlockException(Errno.EINVAL, "The 'file' block driver requires a file name");
    }
    Path path = ImageName.path(name);
    HostFiles.Status status = status(path, text);
    String found = format == null ? probe(path, text, status) : format;
    long length = (status.sizeBytes() + OpenImage.SECTOR_BYTES - 1) & -OpenImage.SECTOR_BYTES;
    ImageDescription description = null;
    if (found.equals(ImageFormats.QCOW2)) {
      description = qcow2(path, status);
      length = description.lengthBytes();
    }
    return new ImageInfo(text, text, found, length, status.allocatedBytes(), true, description);
  }

  private static HostFiles.Status status(Path path, String text) throws BlockException {
    HostFiles files = new LinuxHostFiles();
    HostFiles.Status status;
    try {
      int fd = files.open(path, 0);
      try {
        status = files.status(fd);
      } finally {
        files.close(fd);
      }
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not open '" + text + "'");
    }
    if (status.kind() == HostFiles.Kind.DIRECTORY || status.kind() == HostFiles.Kind.OTHER) {
      throw new BlockException(
          Errno.EINVAL, "'file' driver requires '" + text + "' to be a regular file");
    }
    return status;
  }

  private static String probe(Path path, String text, HostFiles.Status status)
      throws BlockException {
    byte[] header = new byte[NodeOpener.PROBE_BYTES];
    if (status.sizeBytes() > 0) {
      try {
        header = start(path, NodeOpener.PROBE_BYTES);
      } catch (IOException e) {
        throw BlockException.of(Errno.EIO, "Could not read image for determining its format");
      }
    }
    String found = FormatSignatures.probe(header, text);
    if (found == null) {
      return ImageFormats.RAW;
    }
    ImageFormats.requireOpenable(found);
    return found;
  }

  private static ImageDescription qcow2(Path path, HostFiles.Status status) throws BlockException {
    if (status.sizeBytes() == 0) {
      return Qcow2Description.of(ByteBuffer.allocate(Qcow2Description.FIRST_BYTES));
    }
    try {
      ByteBuffer first = ByteBuffer.wrap(start(path, Qcow2Description.FIRST_BYTES));
      int wanted = Qcow2Description.bytesWanted(first);
      return Qcow2Description.of(ByteBuffer.wrap(start(path, Math.max(wanted, first.limit()))));
    } catch (IOException e) {
      throw BlockException.of(Errno.EIO, "Could not read qcow2 header");
    }
  }

  /** The first bytes of a file; what a short file lacks counts as zeroes. */
  private static byte[] start(Path path, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    try (FileChannel channel = FileChannel.open(path)) {
      while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
        // Until there is enough of it.
      }
    }
    return buffer.array();
  }
}

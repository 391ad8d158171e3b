package org.tinamou.tools.img;

import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.ImageCreation;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.ImageName;

/** Making the image that a copy goes to. */
final class NewImage {
  private NewImage() {}

  /** Refuses a format that images cannot be made in. */
  static void checkFormat(String format) throws ToolException {
    if (!ImageFormats.isKnown(format)) {
      throw new ToolException("Unknown file format '" + format + "'");
    }
    if (!ImageFormats.isCreatable(format)) {
      throw new ToolException("Format driver '" + format + "' does not support image creation");
    }
    if (!ImageFormats.isSupported(format)) {
      throw new ToolException(ImageFormats.notYet(format));
    }
  }

  /** Refuses a name that no image can have. */
  static void checkName(String name) throws ToolException {
    if (ImageName.protocolOrNull(name) != null) {
      return;
    }
    try {
      ImageName.pathText(name);
    } catch (BlockException e) {
      throw ToolException.of("", e);
    }
  }

  /**
   * Makes it.
   *
   * @param objects what the options may name
   * @param prefix what an error begins with
   */
  static void create(
      AioContext context,
      ObjectRegistry objects,
      String name,
      String format,
      OptionValues values,
      String prefix)
      throws ToolException {
    String protocol = ImageName.protocolOrNull(name);
    try {
      if (protocol != null) {
        ImageCreation.createWithin(context, objects, protocol, name, format, values);
      } else {
        ImageCreation.create(
            context, objects, ImageName.path(name), ImageName.pathText(name), format, values);
      }
    } catch (BlockException e) {
      throw creationFailed(prefix, format, e);
    }
  }

  /** What a failed creation is told as. */
  private static ToolException creationFailed(String prefix, String format, BlockException cause) {
    if (cause.errno() != Errno.EFBIG) {
      return ToolException.of(prefix, cause);
    }
    boolean clusters = ImageCreation.formatOptions(format).accepts("cluster_size");
    return new ToolException(
        prefix
            + "The image size is too large for file format '"
            + format
            + "'"
            + (clusters ? " (try using a larger cluster size)" : ""));
  }
}

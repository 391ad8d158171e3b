package org.tinamou.tools.img;

import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.FileCreator;
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
    if (!ImageFormats.isMadeHere(format)) {
      throw new ToolException(ImageFormats.notYet(format));
    }
  }

  /** Refuses a name that no image can have. */
  static void checkName(String name) throws ToolException {
    try {
      ImageName.pathText(name);
    } catch (BlockException e) {
      throw ToolException.of("", e);
    }
  }

  /**
   * Makes it.
   *
   * @param prefix what an error begins with
   */
  static void create(AioContext context, String name, OptionValues values, String prefix)
      throws ToolException {
    try {
      FileCreator.create(context, ImageName.path(name), ImageName.pathText(name), values);
    } catch (BlockException e) {
      throw ToolException.of(prefix, e);
    }
  }
}

package org.tinamou.tools.img;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.BackingName;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/**
 * The image that a new one is to stand on.
 *
 * @param format what it is, said or found
 */
record BackingImage(String format, long lengthBytes) {
  /**
   * Opens it to see that it can be opened.
   *
   * @param objects what its name may name
   * @param prefix what an error begins with
   * @param image the new image, from whose place the name is seen
   * @param format null to find it out
   */
  static BackingImage examine(
      AioContext context,
      ObjectRegistry objects,
      Console console,
      String prefix,
      String image,
      String name,
      @Nullable String format)
      throws ToolException {
    try {
      String full = name.startsWith("json:") ? name : BackingName.resolve(image, name);
      OpenImage below =
          OpenImage.open(
              context,
              OpenRequest.reading(full, format, CacheMode.WRITEBACK).under(console.imagePolicy()),
              objects);
      try {
        return new BackingImage(below.format(), below.lengthBytes());
      } finally {
        below.close();
      }
    } catch (BlockException e) {
      String hint = e.hint() == null ? "" : e.hint() + "\n";
      throw new ToolException(
          1, java.util.List.of(prefix + e.getMessage()), hint + "Could not open backing image.");
    }
  }
}

package org.tinamou.tools.img;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.BackingName;
import org.tinamou.drivers.ImageDescription;
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
 * @param encrypted whether its data is
 */
record BackingImage(String format, long lengthBytes, boolean encrypted) {
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
      OpenRequest request =
          OpenRequest.reading(full, format, CacheMode.WRITEBACK).under(console.imagePolicy());
      BackingImage found = open(context, objects, request.withoutBacking());
      // No key is needed just to stand on an encrypted image.
      return found.encrypted() ? found : open(context, objects, request);
    } catch (BlockException e) {
      String hint = e.hint() == null ? "" : e.hint() + "\n";
      throw new ToolException(
          1, java.util.List.of(prefix + e.getMessage()), hint + "Could not open backing image.");
    }
  }

  private static BackingImage open(AioContext context, ObjectRegistry objects, OpenRequest request)
      throws BlockException {
    OpenImage below = OpenImage.open(context, request, objects);
    try {
      ImageDescription description = below.description();
      boolean encrypted = description != null && description.encrypted();
      return new BackingImage(below.format(), below.lengthBytes(), encrypted);
    } finally {
      below.close();
    }
  }
}

package org.tinamou.tools.img;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionException;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/**
 * Keeps a stream that has to be read twice: an image in {@code $TMPDIR}, else in /var/tmp, whose
 * file loses its name as soon as it is open, and so goes with the process however that ends.
 */
final class StreamSpool {
  private static final String USUAL_PLACE = "/var/tmp";

  private StreamSpool() {}

  /** A new and empty image, which whoever closes it loses. */
  static OpenImage open(AioContext context, Console console, ImageChoice choice)
      throws ToolException {
    @Nullable String place = System.getenv("TMPDIR");
    Path directory = Path.of(place == null || place.isEmpty() ? USUAL_PLACE : place);
    Path file;
    try {
      file = Files.createTempFile(directory, "tinamou-", ".qcow2");
    } catch (IOException e) {
      throw new ToolException("Could not create a temporary file in '" + directory + "': " + e);
    }
    try {
      String name = file.toString();
      NewImage.create(
          context,
          choice.objects(),
          name,
          ImageFormats.QCOW2,
          ImageOptionList.schema(ImageFormats.QCOW2).parse("size=0"),
          name + ": ");
      CacheMode cache = CacheArgument.parse("cache option", "unsafe");
      OpenRequest request = OpenRequest.writing(name, ImageFormats.QCOW2, cache).forResizing();
      return choice.open(context, console, request);
    } catch (OptionException e) {
      throw ToolException.of("", e);
    } finally {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        console.warning("Could not remove '" + file + "': " + e.getMessage());
      }
    }
  }
}

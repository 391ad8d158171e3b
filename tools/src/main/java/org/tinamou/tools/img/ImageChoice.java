package org.tinamou.tools.img;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.OptionText;
import org.tinamou.tools.cli.ProbeWarning;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.UserObjects;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** What a command's options say of how images are found and opened. */
final class ImageChoice {
  @Nullable String format;
  boolean imageOptions;
  boolean forceShare;

  /** Whether to say what it means that others may be writing meanwhile. */
  boolean shared;

  private final UserObjects objects = new UserObjects();

  /** Takes one of the options that most commands share; false if it is another one. */
  boolean take(int code, ImgOptions scan) throws ToolException {
    switch (code) {
      case 'f' -> format = scan.value();
      case 'U' -> forceShare = true;
      case ImgOptions.SHARED -> {
        shared = true;
        forceShare = true;
      }
      case ImgOptions.IMAGE_OPTS -> imageOptions = true;
      case ImgOptions.OBJECT -> objects.add(scan.console(), scan.value());
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Defines an object for the images. */
  void define(Console console, String definition) throws ToolException {
    objects.add(console, definition);
  }

  /** What images may name. */
  ObjectRegistry objects() {
    return objects.registry();
  }

  /** What is done to an image that others may be writing to. */
  @FunctionalInterface
  interface Reading {
    int read() throws ToolException;
  }

  /** Reads an image, and says afterwards what it means if others have been writing to it. */
  int sharing(Console console, String name, Reading reading) throws ToolException {
    if (!shared) {
      return reading.read();
    }
    SharedReading watch = SharedReading.begin(console, name);
    try {
      return reading.read();
    } finally {
      console.out().flush();
      watch.end();
    }
  }

  /** Refuses a format beside a list of options. */
  void check() throws ToolException {
    check(imageOptions, format);
  }

  static void check(boolean imageOptions, @Nullable String format) throws ToolException {
    if (imageOptions && format != null) {
      throw new ToolException("--image-opts and --format are mutually exclusive");
    }
  }

  OpenRequest reading(String name, CacheMode cache) {
    return with(OpenRequest.reading(name, format, cache));
  }

  OpenRequest writing(String name, CacheMode cache) {
    return with(OpenRequest.writing(name, format, cache));
  }

  private OpenRequest with(OpenRequest request) {
    return request.sharedByForce(forceShare).namedByOptions(imageOptions);
  }

  /** Opens an image; tells users who write to one whose format they did not give. */
  OpenImage open(AioContext context, Console console, OpenRequest request) throws ToolException {
    OpenImage image = openSilently(context, console, request);
    warn(console, image);
    return image;
  }

  static void warn(Console console, OpenImage image) {
    if (image.isGuessedRaw() && image.isWritable()) {
      ProbeWarning.print(console, image.name());
    }
  }

  /** Opens an image and tells nobody of its format. */
  OpenImage openSilently(AioContext context, Console console, OpenRequest request)
      throws ToolException {
    OpenRequest spelled = request.under(console.imagePolicy());
    if (request.imageOptions()) {
      spelled = spelled.renamed(OptionText.spelledOut(console, request.name(), "file"));
    }
    try {
      return OpenImage.open(context, spelled, objects.registry());
    } catch (BlockException e) {
      throw ToolException.of("Could not open '" + request.name() + "': ", e);
    }
  }
}

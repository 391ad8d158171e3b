package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.ObjectArgument;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img map}: tells where an image has data. */
final class MapCommand implements ImgCommand {
  private static final String LETTERS = ":f:s:l:hU";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("format", 'f'),
          LongOption.withValue("output", ImgOptions.OUTPUT),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force-share", 'U'),
          LongOption.withValue("start-offset", 's'),
          LongOption.withValue("max-length", 'l'));

  private @Nullable String format;
  private boolean imageOpts;
  private @Nullable String output;
  private long startBytes;
  private long maxBytes = Long.MAX_VALUE;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "map", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'f' -> format = scan.value();
        case 'U' -> {
          // Reading never keeps others from anything.
        }
        case 's' -> startBytes = SizeArgument.parse(console, "start offset", scan.value());
        case 'l' -> maxBytes = SizeArgument.parse(console, "max length", scan.value());
        case ImgOptions.OUTPUT -> output = scan.value();
        case ImgOptions.IMAGE_OPTS -> imageOpts = true;
        case ImgOptions.OBJECT -> throw ObjectArgument.refuse(scan.value());
        default -> throw new IllegalStateException("option " + code);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    boolean json = OutputFormat.isJson(output);
    if (imageOpts) {
      throw format == null
          ? ImgOptions.imageOpts()
          : new ToolException("--image-opts and --format are mutually exclusive");
    }
    String name = operands.getFirst();
    return LoopRunner.run("map", context -> map(context, console, name, json));
  }

  private int map(AioContext context, Console console, String name, boolean json)
      throws ToolException {
    OpenImage image;
    try {
      image = OpenImage.open(context, OpenRequest.reading(name, format, CacheMode.WRITEBACK));
    } catch (BlockException e) {
      throw ToolException.of("Could not open '" + name + "': ", e);
    }
    try {
      if (json) {
        printJson(console, image);
      } else {
        printTable(console, image);
      }
      return 0;
    } catch (BlockException e) {
      throw ToolException.of("Failed to read image metadata: ", e);
    } finally {
      image.close();
    }
  }

  /** Where to stop. */
  private long endBytes(OpenImage image) {
    return maxBytes < image.lengthBytes() - Math.min(startBytes, image.lengthBytes())
        ? startBytes + maxBytes
        : image.lengthBytes();
  }

  private void printTable(Console console, OpenImage image) throws BlockException {
    console.line(padded("Offset") + padded("Length") + padded("Mapped to") + "File");
    long end = endBytes(image);
    for (long offset = startBytes; offset < end; ) {
      Extent extent = whole(image, offset, end);
      if (extent.data()) {
        console.line(
            padded(hexadecimal(offset))
                + padded(hexadecimal(extent.lengthBytes()))
                + padded(hexadecimal(offset))
                + image.name());
      }
      offset += extent.lengthBytes();
    }
  }

  private void printJson(Console console, OpenImage image) throws BlockException {
    long end = endBytes(image);
    console.out().print('[');
    if (startBytes >= end) {
      console.out().print(element(startBytes, 0, false, false));
    }
    for (long offset = startBytes; offset < end; ) {
      Extent extent = whole(image, offset, end);
      console.out().print(offset == startBytes ? "" : ",\n");
      console.out().print(element(offset, extent.lengthBytes(), true, extent.data()));
      offset += extent.lengthBytes();
    }
    console.line("]");
  }

  /** One element, in the fixed form that scripts know. */
  private static String element(long offset, long length, boolean present, boolean data) {
    return "{ \"start\": "
        + offset
        + ", \"length\": "
        + length
        + ", \"depth\": 0, \"present\": "
        + present
        + ", \"zero\": "
        + (present && !data)
        + ", \"data\": "
        + data
        + (present ? ", \"offset\": " + offset : "")
        + "}";
  }

  /** The longest extent from an offset, joined from what the image tells in parts. */
  private static Extent whole(OpenImage image, long offset, long end) throws BlockException {
    Extent first = image.extentAt(offset, end - offset);
    long length = first.lengthBytes();
    while (offset + length < end) {
      Extent next = image.extentAt(offset + length, end - offset - length);
      if (next.data() != first.data()) {
        break;
      }
      length += next.lengthBytes();
    }
    return new Extent(length, first.data());
  }

  private static String padded(String text) {
    return text + " ".repeat(Math.max(0, 16 - text.length()));
  }

  private static String hexadecimal(long value) {
    return value == 0 ? "0" : "0x" + Long.toHexString(value);
  }
}

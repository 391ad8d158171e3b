package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.OpenImage;

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
          ImgOptions.SHARED_OPTION,
          LongOption.flag("force-share", 'U'),
          LongOption.withValue("start-offset", 's'),
          LongOption.withValue("max-length", 'l'));

  private final ImageChoice choice = new ImageChoice();
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
        case 's' -> startBytes = SizeArgument.parse(console, "start offset", scan.value());
        case 'l' -> maxBytes = SizeArgument.parse(console, "max length", scan.value());
        case ImgOptions.OUTPUT -> output = scan.value();
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    boolean json = OutputFormat.isJson(output);
    choice.check();
    String name = operands.getFirst();
    return choice.sharing(
        console, name, () -> LoopRunner.run("map", context -> map(context, console, name, json)));
  }

  private int map(AioContext context, Console console, String name, boolean json)
      throws ToolException {
    OpenImage image = choice.open(context, console, choice.reading(name, CacheMode.WRITEBACK));
    try {
      if (json) {
        printJson(console, image);
      } else {
        printTable(console, image);
      }
      return 0;
    } catch (BlockException e) {
      throw new ToolException("Could not read file metadata: " + e.errno().message());
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

  private void printTable(Console console, OpenImage image) throws BlockException, ToolException {
    console.line(padded("Offset") + padded("Length") + padded("Mapped to") + "File");
    long end = endBytes(image);
    for (long offset = startBytes; offset < end; ) {
      Extent extent = whole(image, offset, end);
      if (extent.data() && !extent.zero()) {
        if (extent.mappedOffsetBytes() < 0) {
          throw new ToolException("File contains external, encrypted or compressed clusters.");
        }
        console.line(
            padded(hexadecimal(offset))
                + padded(hexadecimal(extent.lengthBytes()))
                + padded(hexadecimal(extent.mappedOffsetBytes()))
                + extent.file());
      }
      offset += extent.lengthBytes();
    }
  }

  private void printJson(Console console, OpenImage image) throws BlockException {
    long end = endBytes(image);
    console.out().print('[');
    if (startBytes >= end) {
      console.out().print(element(startBytes, new Extent(0, false, false, false, -1, 0, null)));
    }
    for (long offset = startBytes; offset < end; ) {
      Extent extent = whole(image, offset, end);
      console.out().print(offset == startBytes ? "" : ",\n");
      console.out().print(element(offset, extent));
      offset += extent.lengthBytes();
    }
    console.line("]");
  }

  /** One element, in the fixed form that scripts know. */
  private static String element(long offset, Extent extent) {
    return "{ \"start\": "
        + offset
        + ", \"length\": "
        + extent.lengthBytes()
        + ", \"depth\": "
        + extent.depth()
        + ", \"present\": "
        + extent.present()
        + ", \"zero\": "
        + extent.zero()
        + ", \"data\": "
        + extent.data()
        + (extent.mappedOffsetBytes() < 0 ? "" : ", \"offset\": " + extent.mappedOffsetBytes())
        + "}";
  }

  /** The longest extent from an offset, joined from what the image tells in parts. */
  private static Extent whole(OpenImage image, long offset, long end) throws BlockException {
    Extent extent = image.mappedExtent(offset, end - offset);
    while (offset + extent.lengthBytes() < end) {
      long next = offset + extent.lengthBytes();
      Extent more = image.mappedExtent(next, end - next);
      if (!extent.continues(more)) {
        break;
      }
      extent = extent.with(more);
    }
    return extent;
  }

  private static String padded(String text) {
    return text + " ".repeat(Math.max(0, 16 - text.length()));
  }

  private static String hexadecimal(long value) {
    return value == 0 ? "0" : "0x" + Long.toHexString(value);
  }
}

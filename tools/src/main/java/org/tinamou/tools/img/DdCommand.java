package org.tinamou.tools.img;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img dd}: copies a part of an image, in blocks of one size. */
final class DdCommand implements ImgCommand {
  private static final String LETTERS = ":hf:O:U";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force-share", 'U'));

  private final ImageChoice choice = new ImageChoice();
  private String targetFormat = ImageFormats.RAW;
  private @Nullable String source;
  private @Nullable String target;
  private long blockBytes = 512;
  private long blockCount = -1;
  private long skippedBlocks;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "dd", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'O' -> targetFormat = scan.value();
        default -> choice.take(code, scan);
      }
    }
    for (String operand : scan.operands()) {
      take(console, operand);
    }
    String from = source;
    String to = target;
    if (from == null || to == null) {
      throw new ToolException("Must specify both input and output files");
    }
    choice.check();
    return LoopRunner.run("dd", context -> copy(context, console, from, to));
  }

  private void take(Console console, String operand) throws ToolException {
    int equals = operand.indexOf('=');
    String name = equals < 0 ? "" : operand.substring(0, equals);
    String value = operand.substring(equals + 1);
    switch (name) {
      case "if" -> source = value;
      case "of" -> target = value;
      case "bs" -> {
        blockBytes = SizeArgument.parse(console, "bs", value, 1, Integer.MAX_VALUE);
      }
      case "count" -> blockCount = SizeArgument.parse(console, "count", value);
      case "skip" -> skippedBlocks = SizeArgument.parse(console, "skip", value);
      default -> throw new ToolException("unrecognized operand " + (equals < 0 ? operand : name));
    }
  }

  private int copy(AioContext context, Console console, String from, String to)
      throws ToolException {
    OpenImage input = choice.open(context, console, choice.reading(from, CacheMode.WRITEBACK));
    try {
      if (!ImageFormats.isKnown(targetFormat)) {
        throw new ToolException("Unknown file format");
      }
      NewImage.checkName(to);
      NewImage.checkFormat(targetFormat);
      long end = endBytes(input);
      long start = Math.multiplyHigh(skippedBlocks, blockBytes) == 0 ? skipped() : -1;
      boolean beyond = start < 0 || start > end;
      long size = beyond ? 0 : end - start;
      NewImage.create(
          context,
          choice.objects(),
          to,
          targetFormat,
          targetOptions(size),
          to + ": error while creating output image: ");
      OpenImage output =
          choice.open(context, console, OpenRequest.writing(to, targetFormat, CacheMode.WRITEBACK));
      try {
        if (beyond) {
          console.error(from + ": cannot skip to specified offset");
        } else {
          copy(input, output, start, end);
        }
      } finally {
        output.close();
      }
      return 0;
    } finally {
      input.close();
    }
  }

  private OptionValues targetOptions(long size) throws ToolException {
    try {
      return ImageOptionList.schema(targetFormat).parse("").with("size", Long.toString(size));
    } catch (OptionException e) {
      throw ToolException.of("", e);
    }
  }

  private long skipped() {
    return skippedBlocks * blockBytes;
  }

  /** The count is taken from the beginning of the image, skipped or not, as the reference does. */
  private long endBytes(OpenImage input) {
    long length = input.lengthBytes();
    boolean counted = blockCount >= 0 && blockCount <= Long.MAX_VALUE / blockBytes;
    return counted ? Math.min(length, blockCount * blockBytes) : length;
  }

  private void copy(OpenImage input, OpenImage output, long start, long end) throws ToolException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer =
          AlignedMemory.allocate(arena, Math.clamp(end - start, 1, (int) blockBytes));
      for (long offset = start; offset < end; offset += blockBytes) {
        long length = Math.min(blockBytes, end - offset);
        IoVector block = IoVector.of(buffer.asSlice(0, length));
        try {
          input.read(block, offset);
        } catch (BlockException e) {
          throw new ToolException(
              "error while reading from input image file: " + e.errno().message());
        }
        try {
          output.write(block, offset - start);
        } catch (BlockException e) {
          throw new ToolException(
              "error while writing to output image file: " + e.errno().message());
        }
      }
    }
  }
}

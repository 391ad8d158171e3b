package org.tinamou.tools.img;

import java.util.List;
import java.util.Objects;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;

/** {@code img resize}: changes the length of an image. The size is the last word, always. */
final class ResizeCommand implements ImgCommand {
  private static final String LETTERS = ":f:hq";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.withValue("preallocation", ImgOptions.PREALLOCATION),
          LongOption.flag("shrink", ImgOptions.SHRINK));
  private static final OptionSchema SIZE =
      new OptionSchema(List.of(OptionSchema.Option.size("size", "Virtual disk size")));

  private final ImageChoice choice = new ImageChoice();
  private PreallocationMode preallocation = PreallocationMode.OFF;
  private boolean shrink;
  private boolean quiet;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    if (arguments.size() < 2) {
      throw ImgOptions.usage(console, "Not enough arguments");
    }
    String sizeText = arguments.getLast();
    List<String> others = arguments.subList(0, arguments.size() - 1);
    ImgOptions scan = new ImgOptions(console, "resize", others, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'q' -> quiet = true;
        case ImgOptions.SHRINK -> shrink = true;
        case ImgOptions.PREALLOCATION -> preallocation = preallocation(scan.value());
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting image file name and size");
    }
    String name = operands.getFirst();
    choice.check();
    int sign =
        switch (sizeText.isEmpty() ? 0 : sizeText.charAt(0)) {
          case '+' -> 1;
          case '-' -> -1;
          default -> 0;
        };
    long amount = bytes(sign == 0 ? sizeText : sizeText.substring(1));
    return LoopRunner.run("resize", context -> resize(context, console, name, sign, amount));
  }

  private static PreallocationMode preallocation(String name) throws ToolException {
    PreallocationMode mode = PreallocationMode.parse(name);
    if (mode == null) {
      throw new ToolException("Invalid preallocation mode '" + name + "'");
    }
    return mode;
  }

  private static long bytes(String text) throws ToolException {
    try {
      return SIZE.parse("size=" + text.replace(",", ",,")).size("size", 0);
    } catch (OptionException e) {
      throw ToolException.of("", e);
    }
  }

  private int resize(AioContext context, Console console, String name, int sign, long amount)
      throws ToolException {
    OpenImage image =
        choice.open(context, console, choice.writing(name, CacheMode.WRITEBACK).forResizing());
    try {
      long current = image.lengthBytes();
      long wanted = sign == 0 ? amount : current + sign * amount;
      if (wanted <= 0) {
        throw new ToolException("New image size must be positive");
      }
      if (wanted <= current && preallocation != PreallocationMode.OFF) {
        throw new ToolException("Preallocation can only be used for growing images");
      }
      if (wanted < current && !shrink) {
        console.error("Use the --shrink option to perform a shrink operation.");
        console.warning(
            "Shrinking an image will delete all data beyond the shrunken image's end. Before"
                + " performing such an operation, make sure there is no important data there.");
        return 1;
      }
      image.truncate(wanted, true, preallocation);
      if (!quiet) {
        console.line("Image resized.");
      }
      return 0;
    } catch (BlockException e) {
      throw new ToolException(Objects.requireNonNull(e.getMessage()));
    } finally {
      image.close();
    }
  }
}

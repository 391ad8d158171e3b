package org.tinamou.tools.img;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.FileCreator;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionValues;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.UserObjects;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.ImageFormats;
import org.tinamou.tools.image.ImageName;

/** {@code img create}: makes an image. */
final class CreateCommand implements ImgCommand {
  private static final String LETTERS = ":F:b:f:ho:qu";
  private static final List<LongOption> LONG =
      List.of(LongOption.flag("help", 'h'), LongOption.withValue("object", ImgOptions.OBJECT));

  private String format = ImageFormats.RAW;
  private @Nullable String backing;
  private @Nullable String backingFormat;
  private boolean quiet;
  private final UserObjects objects = new UserObjects();
  private final ImageOptionList options = new ImageOptionList();

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "create", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'F' -> backingFormat = scan.value();
        case 'b' -> backing = scan.value();
        case 'f' -> format = scan.value();
        case 'o' -> options.add(scan.value());
        case 'q' -> quiet = true;
        case 'u' -> {
          // Concerns backing files only.
        }
        case ImgOptions.OBJECT -> objects.add(console, scan.value());
        default -> throw new IllegalStateException("option " + code);
      }
    }
    List<String> operands = scan.operands();
    String name = operands.isEmpty() ? null : operands.getFirst();
    if (options.asksForHelp()) {
      return ImageOptionList.printHelp(console, format, name);
    }
    if (name == null) {
      throw ImgOptions.usage(console, "Expecting image file name");
    }
    String size = null;
    if (operands.size() > 1) {
      size = Long.toString(SizeArgument.parse(console, "image size", operands.get(1)));
    }
    if (operands.size() > 2) {
      throw ImgOptions.usage(console, "Unexpected argument: " + operands.get(2));
    }
    return create(console, name, size);
  }

  private int create(Console console, String name, @Nullable String size) throws ToolException {
    String prefix = name + ": ";
    OptionValues values;
    Path path;
    String report;
    try {
      checkFormat(prefix);
      path = ImageName.path(name);
      values = ImageOptionList.schema(format).parse(options.text());
      report = report(prefix, values, size);
      if (size != null) {
        values = values.with("size", size);
      }
    } catch (OptionException e) {
      throw ToolException.of(prefix, e);
    } catch (BlockException e) {
      throw ToolException.of(prefix, e);
    }
    if (!quiet) {
      console.line("Formatting '" + name + "', fmt=" + format + " " + report);
      console.out().flush();
    }
    OptionValues checked = values;
    return LoopRunner.run(
        "create",
        context -> {
          try {
            FileCreator.create(context, path, ImageName.pathText(name), checked);
            return 0;
          } catch (BlockException e) {
            throw creationFailed(prefix, format, e);
          }
        });
  }

  /** What a failed creation is told as. */
  static ToolException creationFailed(String prefix, String format, BlockException cause) {
    return cause.errno() == Errno.EFBIG
        ? new ToolException(prefix + "The image size is too large for file format '" + format + "'")
        : ToolException.of(prefix, cause);
  }

  private void checkFormat(String prefix) throws ToolException {
    if (!ImageFormats.isKnown(format)) {
      throw new ToolException(prefix + "Unknown file format '" + format + "'");
    }
    if (!ImageFormats.isCreatable(format)) {
      throw new ToolException(
          prefix + "Format driver '" + format + "' does not support image creation");
    }
    if (!ImageFormats.isMadeHere(format)) {
      throw new ToolException(prefix + ImageFormats.notYet(format));
    }
  }

  /** The options as they will be used; refuses what contradicts or lacks. */
  private String report(String prefix, OptionValues values, @Nullable String size)
      throws ToolException, OptionException {
    if (size != null && values.has("size")) {
      throw new ToolException(prefix + "The image size must be specified only once");
    }
    if (backing != null) {
      throw new ToolException(
          prefix + "Backing file not supported for file format '" + format + "'");
    }
    if (backingFormat != null) {
      throw new ToolException(
          prefix + "Backing file format not supported for file format '" + format + "'");
    }
    OptionValues all = size == null ? values : values.with("size", size);
    // The largest number stands for "not given".
    if (!all.has("size") || all.size("size", 0) == -1) {
      throw new ToolException(prefix + "Image creation needs a size parameter");
    }
    return all.report();
  }
}

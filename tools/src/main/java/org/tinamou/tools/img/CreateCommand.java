package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.format.luks.LuksCreator;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
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
  private static final String LETTERS = ":B:F:b:f:ho:qu";
  private static final List<LongOption> LONG =
      List.of(LongOption.flag("help", 'h'), LongOption.withValue("object", ImgOptions.OBJECT));

  private static final String BACKING_FILE = "backing_file";
  private static final String BACKING_FORMAT = "backing_fmt";

  private String format = ImageFormats.RAW;
  private @Nullable String backing;
  private @Nullable String backingFormat;
  private boolean quiet;
  private boolean unchecked;
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
        // The format of the image below has had both letters, at different times.
        case 'B', 'F' -> backingFormat = scan.value();
        case 'b' -> backing = scan.value();
        case 'f' -> format = scan.value();
        case 'o' -> options.add(scan.value());
        case 'q' -> quiet = true;
        case 'u' -> unchecked = true;
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
    try {
      checkFormat(prefix);
      if (ImageName.protocolOrNull(name) == null) {
        ImageName.path(name);
      }
      values = values(prefix, name, size);
    } catch (OptionException e) {
      throw ToolException.of(prefix, e);
    } catch (BlockException e) {
      throw ToolException.of(prefix, e);
    }
    return LoopRunner.run(
        "create",
        context -> {
          try {
            OptionValues complete = complete(context, console, prefix, name, values);
            if (!quiet) {
              console.line("Formatting '" + name + "', fmt=" + format + " " + complete.report());
              console.out().flush();
            }
            NewImage.create(context, objects.registry(), name, format, complete, prefix);
            return 0;
          } catch (OptionException e) {
            throw ToolException.of(prefix, e);
          }
        });
  }

  private void checkFormat(String prefix) throws ToolException {
    if (!ImageFormats.isKnown(format)) {
      throw new ToolException(prefix + "Unknown file format '" + format + "'");
    }
    if (!ImageFormats.isCreatable(format)) {
      throw new ToolException(
          prefix + "Format driver '" + format + "' does not support image creation");
    }
    if (!ImageFormats.isSupported(format)) {
      throw new ToolException(prefix + ImageFormats.notYet(format));
    }
  }

  /** The options that were given, in one way or the other; refuses what contradicts. */
  private OptionValues values(String prefix, String name, @Nullable String size)
      throws ToolException, OptionException {
    OptionSchema schema = ImageOptionList.schema(format);
    OptionValues values = schema.parse(options.text());
    if (size != null && values.has("size")) {
      throw new ToolException(prefix + "The image size must be specified only once");
    }
    if (backing != null) {
      if (!schema.accepts(BACKING_FILE)) {
        throw new ToolException(
            prefix + "Backing file not supported for file format '" + format + "'");
      }
      values = values.with(BACKING_FILE, backing);
    }
    if (backingFormat != null) {
      if (!schema.accepts(BACKING_FORMAT)) {
        throw new ToolException(
            prefix + "Backing file format not supported for file format '" + format + "'");
      }
      values = values.with(BACKING_FORMAT, backingFormat);
    }
    String file = values.string(BACKING_FILE);
    if (file != null && file.isEmpty()) {
      throw new ToolException(prefix + "Expected backing file name, got empty string");
    }
    if (file != null && file.equals(name)) {
      throw new ToolException(
          prefix + "Error: Trying to create an image with the same filename as the backing file");
    }
    return size == null ? values : values.with("size", size);
  }

  /** Whether the image is to have no data of its own. */
  private static boolean isDetached(OptionValues values) throws OptionException {
    return values.has(LuksCreator.DETACHED) && values.bool(LuksCreator.DETACHED, false);
  }

  /** The options with a size, which may be that of the image below. */
  private OptionValues complete(
      AioContext context, Console console, String prefix, String name, OptionValues values)
      throws ToolException, OptionException {
    String file = values.string(BACKING_FILE);
    String fileFormat = values.string(BACKING_FORMAT);
    OptionValues complete = values;
    // The largest number stands for "not given".
    boolean sized = values.has("size") && values.size("size", 0) != -1;
    if (file != null && !unchecked) {
      BackingImage below =
          BackingImage.examine(
              context, objects.registry(), console, prefix, name, file, fileFormat);
      if (fileFormat == null) {
        throw new ToolException(prefix + "Backing file specified without backing format")
            .withOpenHint("Detected format of " + below.format() + ".");
      }
      if (!sized) {
        complete = values.with("size", Long.toString(below.lengthBytes()));
        sized = true;
      }
    } else if (file != null && fileFormat == null) {
      throw new ToolException(prefix + "Backing file specified without backing format");
    }
    if (!sized && isDetached(complete)) {
      complete = complete.with("size", "0");
      sized = true;
    }
    if (!sized) {
      throw new ToolException(prefix + "Image creation needs a size parameter");
    }
    return complete;
  }
}

package org.tinamou.tools.img;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img bitmap}: changes an image's dirty bitmaps, which needs a format that keeps them. */
final class BitmapCommand implements ImgCommand {
  private static final int LEAST_GRANULARITY_BYTES = 512;
  private static final int LONGEST_NAME = 1023;
  private static final String LETTERS = ":b:f:F:g:h";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("add", ImgOptions.ADD),
          LongOption.flag("remove", ImgOptions.REMOVE),
          LongOption.flag("clear", ImgOptions.CLEAR),
          LongOption.flag("enable", ImgOptions.ENABLE),
          LongOption.flag("disable", ImgOptions.DISABLE),
          LongOption.withValue("merge", ImgOptions.MERGE),
          LongOption.withValue("source-file", 'b'),
          LongOption.withValue("source-format", 'F'),
          LongOption.withValue("granularity", 'g'));

  private final ImageChoice choice = new ImageChoice();
  private final List<String> actions = new ArrayList<>();
  private @Nullable String source;
  private @Nullable String sourceFormat;
  private long granularityBytes;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "bitmap", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'b' -> source = scan.value();
        case 'F' -> sourceFormat = scan.value();
        case 'g' -> granularityBytes = SizeArgument.parse(console, "granularity", scan.value());
        case ImgOptions.ADD -> actions.add("add");
        case ImgOptions.REMOVE -> actions.add("remove");
        case ImgOptions.CLEAR -> actions.add("clear");
        case ImgOptions.ENABLE -> actions.add("enable");
        case ImgOptions.DISABLE -> actions.add("disable");
        case ImgOptions.MERGE -> actions.add("merge");
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    check(operands);
    choice.check();
    String name = operands.getFirst();
    String bitmap = operands.getLast();
    return LoopRunner.run("bitmap", context -> change(context, console, name, bitmap));
  }

  private void check(List<String> operands) throws ToolException {
    if (actions.isEmpty()) {
      throw new ToolException(
          "Need at least one of --add, --remove, --clear, --enable, --disable, or --merge");
    }
    if (granularityBytes != 0 && !actions.contains("add")) {
      throw new ToolException("granularity only supported with --add");
    }
    if (sourceFormat != null && source == null) {
      throw new ToolException("-F only supported with -b");
    }
    if (source != null && !actions.contains("merge")) {
      throw new ToolException("Merge bitmap source file only supported with --merge");
    }
    if (operands.size() != 2) {
      throw new ToolException("Expecting filename and bitmap name");
    }
  }

  private int change(AioContext context, Console console, String name, String bitmap)
      throws ToolException {
    OpenImage image = choice.open(context, console, choice.writing(name, CacheMode.WRITEBACK));
    try {
      if (source != null) {
        choice
            .open(context, console, OpenRequest.reading(source, sourceFormat, CacheMode.WRITEBACK))
            .close();
      }
      String action = actions.getFirst();
      throw new ToolException(
          "Operation "
              + action
              + " on bitmap "
              + bitmap
              + " failed: "
              + (action.equals("add") ? refuseAdding(bitmap, image) : refuseFinding(bitmap)));
    } finally {
      image.close();
    }
  }

  private String refuseAdding(String bitmap, OpenImage image) {
    if (bitmap.isEmpty()) {
      return "Bitmap name cannot be empty";
    }
    if (granularityBytes != 0
        && (granularityBytes < LEAST_GRANULARITY_BYTES
            || granularityBytes > Integer.MAX_VALUE + 1L
            || Long.bitCount(granularityBytes) != 1)) {
      return "Granularity must be power of 2 and at least " + LEAST_GRANULARITY_BYTES;
    }
    if (bitmap.length() > LONGEST_NAME) {
      return "Bitmap name is too long";
    }
    return "Can't store persistent bitmaps to " + image.nodeName() + ": Operation not supported";
  }

  private static String refuseFinding(String bitmap) {
    return "Dirty bitmap '" + bitmap + "' not found";
  }
}

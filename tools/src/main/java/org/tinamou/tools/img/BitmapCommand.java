package org.tinamou.tools.img;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.bitmap.DirtyBitmap;
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

  private record Action(String name, String operand) {}

  private final List<Action> actions = new ArrayList<>();
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
        case ImgOptions.ADD -> actions.add(new Action("add", ""));
        case ImgOptions.REMOVE -> actions.add(new Action("remove", ""));
        case ImgOptions.CLEAR -> actions.add(new Action("clear", ""));
        case ImgOptions.ENABLE -> actions.add(new Action("enable", ""));
        case ImgOptions.DISABLE -> actions.add(new Action("disable", ""));
        case ImgOptions.MERGE -> actions.add(new Action("merge", scan.value()));
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

  private boolean has(String name) {
    return actions.stream().anyMatch(action -> action.name().equals(name));
  }

  private void check(List<String> operands) throws ToolException {
    if (actions.isEmpty()) {
      throw new ToolException(
          "Need at least one of --add, --remove, --clear, --enable, --disable, or --merge");
    }
    if (granularityBytes != 0 && !has("add")) {
      throw new ToolException("granularity only supported with --add");
    }
    if (sourceFormat != null && source == null) {
      throw new ToolException("-F only supported with -b");
    }
    if (source != null && !has("merge")) {
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
      OpenImage from = image;
      if (source != null) {
        from =
            choice.open(
                context, console, OpenRequest.reading(source, sourceFormat, CacheMode.WRITEBACK));
      }
      try {
        for (Action action : actions) {
          perform(action, image, bitmap, from);
        }
        return 0;
      } finally {
        if (from != image) {
          from.close();
        }
      }
    } finally {
      image.close();
    }
  }

  private void perform(Action action, OpenImage image, String name, OpenImage from)
      throws ToolException {
    try {
      switch (action.name()) {
        case "add" -> add(image, name);
        case "remove" -> {
          DirtyBitmap bitmap = image.bitmaps().get(name);
          bitmap.checkUsable(DirtyBitmap.Use.REMOVE);
          image.bitmaps().remove(bitmap);
        }
        case "clear" -> {
          DirtyBitmap bitmap = image.bitmaps().get(name);
          bitmap.checkUsable(DirtyBitmap.Use.MODIFY);
          bitmap.clear();
        }
        case "enable" -> {
          DirtyBitmap bitmap = image.bitmaps().get(name);
          bitmap.checkUsable(DirtyBitmap.Use.MODIFY);
          bitmap.enable();
        }
        case "disable" -> {
          DirtyBitmap bitmap = image.bitmaps().get(name);
          bitmap.checkUsable(DirtyBitmap.Use.MODIFY);
          bitmap.disable();
        }
        default -> image.bitmaps().get(name).merge(from.bitmaps().get(action.operand()));
      }
    } catch (BlockException e) {
      throw ToolException.of("Operation " + action.name() + " on bitmap " + name + " failed: ", e);
    }
  }

  private void add(OpenImage image, String name) throws BlockException {
    if (!image.bitmaps().areKeptByFormat()) {
      throw new BlockException(Errno.EOPNOTSUPP, refuseAdding(name, image));
    }
    image.bitmaps().add(name, granularityBytes);
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
}

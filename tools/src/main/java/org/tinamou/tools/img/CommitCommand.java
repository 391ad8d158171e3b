package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;

/** {@code img commit}: moves an image's changes into the one behind it, which needs one there. */
final class CommitCommand implements ImgCommand {
  private static final String LETTERS = ":f:ht:b:dpqr:";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS));

  private final ImageChoice choice = new ImageChoice();
  private String cacheName = "writeback";
  private @Nullable String base;
  private boolean progressWanted;
  private boolean quiet;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "commit", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 't' -> cacheName = scan.value();
        case 'b' -> base = scan.value();
        case 'd' -> {
          // Leaves the emptied image alone; there is none.
        }
        case 'p' -> progressWanted = true;
        case 'q' -> quiet = true;
        case 'r' -> SizeArgument.parse(console, "rate limit", scan.value());
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    String name = operands.getFirst();
    CacheMode cache = CacheArgument.parse("cache option", cacheName);
    choice.check();
    Progress progress = new Progress(console, progressWanted && !quiet, 1);
    return LoopRunner.run(
        "commit",
        context -> {
          OpenImage image = choice.open(context, console, choice.writing(name, cache));
          ImageDescription description = image.description();
          image.close();
          progress.set(0);
          progress.end();
          if (description != null && description.backingName() != null) {
            throw new ToolException(
                "Committing images to those below them is not supported by this version of"
                    + " Tinamou");
          }
          throw new ToolException(
              base == null
                  ? "Image does not have a backing file"
                  : "Did not find '" + base + "' in the backing chain of '" + name + "'");
        });
  }
}

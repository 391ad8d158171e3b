package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/**
 * {@code img diff}: tells which ranges of two images differ. Exit code 0 for the same content, 1
 * for different, more for errors, as {@code img compare} has them.
 */
final class DiffCommand implements ImgCommand {
  private static final int FAILED = 2;
  private static final String LETTERS = ":hf:F:T:pqU";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.withValue("map", ImgOptions.MAP),
          LongOption.flag("force-share", 'U'));

  private final ImageChoice choice = new ImageChoice();
  private @Nullable String secondFormat;
  private @Nullable String map;
  private String cache = "writeback";
  private boolean progressWanted;
  private boolean quiet;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "diff", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'F' -> secondFormat = scan.value();
        case 'T' -> cache = scan.value();
        case 'p' -> progressWanted = true;
        case 'q' -> quiet = true;
        case ImgOptions.MAP -> map = scan.value();
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 2) {
      throw ImgOptions.usage(console, "Expecting two image file names");
    }
    Progress progress = new Progress(console, progressWanted && !quiet, 2);
    try {
      return diff(console, operands.getFirst(), operands.getLast(), progress);
    } catch (ToolException e) {
      throw e.exitCode() == 1 ? e.withExitCode(FAILED) : e;
    } finally {
      progress.end();
    }
  }

  private DifferenceMap map(Console console) throws ToolException {
    return switch (quiet ? "none" : map) {
      case null -> DifferenceMap.summary(console);
      case "json" -> DifferenceMap.json(console);
      case "human" -> DifferenceMap.table(console);
      case "none" -> DifferenceMap.SILENT;
      default ->
          throw new ToolException("Invalid map '" + map + "' (expecting json, human or none)");
    };
  }

  private int diff(Console console, String first, String second, Progress progress)
      throws ToolException {
    CacheMode mode = CacheArgument.parse("source cache option", cache);
    choice.check();
    ImageChoice.check(choice.imageOptions, secondFormat);
    DifferenceMap told = map(console);
    OpenRequest requestOfFirst = choice.reading(first, mode);
    OpenRequest requestOfSecond =
        OpenRequest.reading(second, secondFormat, mode)
            .sharedByForce(choice.forceShare)
            .namedByOptions(choice.imageOptions);
    return LoopRunner.run(
        "diff",
        context -> {
          OpenImage one = choice.open(context, console, requestOfFirst);
          try {
            OpenImage other = choice.open(context, console, requestOfSecond);
            try {
              return new DifferenceFinder(console, one, other, told, progress).find();
            } finally {
              other.close();
            }
          } finally {
            one.close();
          }
        });
  }
}

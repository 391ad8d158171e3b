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

/** {@code img compare}: exit code 0 for the same content, 1 for different, more for errors. */
final class CompareCommand implements ImgCommand {
  private static final int FAILED = 2;
  private static final String LETTERS = ":hf:F:T:pqsU";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force-share", 'U'));

  private final ImageChoice choice = new ImageChoice();
  private @Nullable String secondFormat;
  private String cache = "writeback";
  private boolean progressWanted;
  private boolean quiet;
  private boolean strict;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "compare", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'F' -> secondFormat = scan.value();
        case 'T' -> cache = scan.value();
        case 'p' -> progressWanted = true;
        case 'q' -> quiet = true;
        case 's' -> strict = true;
        default -> take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 2) {
      throw ImgOptions.usage(console, "Expecting two image file names");
    }
    Progress progress = new Progress(console, progressWanted && !quiet, 2);
    try {
      return compare(console, operands.getFirst(), operands.getLast(), progress);
    } finally {
      progress.end();
    }
  }

  private void take(int code, ImgOptions scan) throws ToolException {
    try {
      choice.take(code, scan);
    } catch (ToolException e) {
      throw e.exitCode() == 1 ? e.withExitCode(FAILED) : e;
    }
  }

  private int compare(Console console, String first, String second, Progress progress)
      throws ToolException {
    try {
      CacheMode mode = CacheArgument.parse("source cache option", cache);
      choice.check();
      OpenRequest requestOfFirst = choice.reading(first, mode);
      OpenRequest requestOfSecond =
          OpenRequest.reading(second, secondFormat, mode)
              .sharedByForce(choice.forceShare)
              .namedByOptions(choice.imageOptions);
      return LoopRunner.run(
          "compare",
          context -> {
            OpenImage one = choice.open(context, console, requestOfFirst);
            try {
              ImageChoice.check(choice.imageOptions, secondFormat);
              OpenImage other = choice.open(context, console, requestOfSecond);
              try {
                return new ImageComparer(console, one, other, strict, quiet, progress).compare();
              } finally {
                other.close();
              }
            } finally {
              one.close();
            }
          });
    } catch (ToolException e) {
      throw e.exitCode() == 1 ? e.withExitCode(FAILED) : e;
    }
  }
}

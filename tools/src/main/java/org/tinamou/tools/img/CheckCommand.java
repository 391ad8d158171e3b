package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img check}: looks for damage. Exit code 63: nothing in such an image can be damaged. */
final class CheckCommand implements ImgCommand {
  private static final int NOT_SUPPORTED = 63;
  private static final String LETTERS = ":hf:r:T:qU";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("format", 'f'),
          LongOption.withValue("repair", 'r'),
          LongOption.withValue("output", ImgOptions.OUTPUT),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.flag("force-share", 'U'));

  private final ImageChoice choice = new ImageChoice();
  private String cacheName = "writeback";
  private @Nullable String output;
  private boolean repair;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "check", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'r' -> {
          repair = true;
          String what = scan.value();
          if (!what.equals("leaks") && !what.equals("all")) {
            throw ImgOptions.usage(
                console, "Unknown option value for -r (expecting 'leaks' or 'all'): " + what);
          }
        }
        case 'T' -> cacheName = scan.value();
        case 'q' -> {
          // There is nothing to keep quiet about.
        }
        case ImgOptions.OUTPUT -> output = scan.value();
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    String name = operands.getFirst();
    OutputFormat.isJson(output);
    CacheMode cache = CacheArgument.parse("source cache option", cacheName);
    choice.check();
    OpenRequest request = repair ? choice.writing(name, cache) : choice.reading(name, cache);
    return LoopRunner.run(
        "check",
        context -> {
          OpenImage image = choice.open(context, console, request);
          image.close();
          console.error("This image format does not support checks");
          return NOT_SUPPORTED;
        });
  }
}

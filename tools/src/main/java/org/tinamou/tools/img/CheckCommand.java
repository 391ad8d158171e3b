package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.ClockType;
import org.tinamou.block.BlockException;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.CheckReport;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.tools.cli.CacheArgument;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/**
 * {@code img check}: looks for damage. Exit codes: 1 if the check failed, 2 for damage, 3 if only
 * space is wasted, 63 if nothing in such an image can be damaged.
 */
final class CheckCommand implements ImgCommand {
  private static final int FAILED = 1;
  private static final int CORRUPT = 2;
  private static final int LEAKS = 3;
  private static final int NOT_SUPPORTED = 63;
  private static final int MOST_ATTEMPTS = 4;
  private static final long PAUSE_NANOS = 100_000_000;
  private static final String LETTERS = ":hf:r:T:qU";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("format", 'f'),
          LongOption.withValue("repair", 'r'),
          LongOption.withValue("output", ImgOptions.OUTPUT),
          LongOption.withValue("object", ImgOptions.OBJECT),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          ImgOptions.SHARED_OPTION,
          LongOption.flag("force-share", 'U'));

  private final ImageChoice choice = new ImageChoice();
  private String cacheName = "writeback";
  private @Nullable String output;
  private CheckRepair repair = CheckRepair.NONE;
  private boolean quiet;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "check", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'r' -> {
          String what = scan.value();
          repair =
              switch (what) {
                case "leaks" -> CheckRepair.LEAKS;
                case "all" -> CheckRepair.ALL;
                default ->
                    throw ImgOptions.usage(
                        console,
                        "Unknown option value for -r (expecting 'leaks' or 'all'): " + what);
              };
        }
        case 'T' -> cacheName = scan.value();
        case 'q' -> quiet = true;
        case ImgOptions.OUTPUT -> output = scan.value();
        default -> choice.take(code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    String name = operands.getFirst();
    boolean json = OutputFormat.isJson(output);
    CacheMode cache = CacheArgument.parse("source cache option", cacheName);
    choice.check();
    boolean writing = repair != CheckRepair.NONE;
    if (writing && choice.shared) {
      throw new ToolException("--shared and -r are mutually exclusive");
    }
    OpenRequest request =
        (writing ? choice.writing(name, cache) : choice.reading(name, cache)).toBeChecked();
    return choice.sharing(
        console,
        name,
        () ->
            LoopRunner.run(
                "check",
                context -> {
                  if (choice.shared) {
                    awaitQuiet(context, console, name, request);
                  }
                  OpenImage image = choice.open(context, console, request);
                  try {
                    return check(console, image, name, json);
                  } finally {
                    image.close();
                  }
                }));
  }

  /**
   * Others may be in the middle of a change, which looks like damage: looks a few times, until
   * nothing is found or the file stays as it is meanwhile.
   */
  private void awaitQuiet(AioContext context, Console console, String name, OpenRequest request)
      throws ToolException {
    for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      SharedReading watch = SharedReading.begin(console, name);
      OpenImage image = choice.open(context, console, request);
      boolean clean;
      try {
        CheckReport report = image.check(CheckRepair.NONE, line -> {});
        clean =
            report == null
                || report.checkErrors() == 0 && report.corruptions() == 0 && report.leaks() == 0;
      } catch (BlockException e) {
        clean = false;
      } finally {
        image.close();
      }
      if (clean || !watch.isDisturbed()) {
        return;
      }
      context.sleep(ClockType.REALTIME, PAUSE_NANOS);
    }
  }

  private int check(Console console, OpenImage image, String name, boolean json)
      throws ToolException {
    CheckReport report = run(console, image, repair);
    if (report == null) {
      console.error("This image format does not support checks");
      return NOT_SUPPORTED;
    }
    long leaksFixed = report.leaksFixed();
    long corruptionsFixed = report.corruptionsFixed();
    if (leaksFixed != 0 || corruptionsFixed != 0) {
      if (!quiet && !json) {
        console.line("The following inconsistencies were found and repaired:\n");
        console.line("    %d leaked clusters".formatted(leaksFixed));
        console.line("    %d corruptions\n".formatted(corruptionsFixed));
        console.line("Double checking the fixed image now...");
      }
      report = run(console, image, CheckRepair.NONE);
    }
    if (report == null) {
      return NOT_SUPPORTED;
    }
    CheckText text = new CheckText(report, leaksFixed, corruptionsFixed);
    if (json) {
      console.line(JsonWriter.pretty(text.json(name, image.format())));
    } else if (!quiet) {
      text.print(console);
    }
    if (report.checkErrors() != 0) {
      console.error("Check failed");
      return FAILED;
    }
    return report.corruptions() != 0 ? CORRUPT : report.leaks() != 0 ? LEAKS : 0;
  }

  private static @Nullable CheckReport run(Console console, OpenImage image, CheckRepair repair)
      throws ToolException {
    try {
      return image.check(repair, console::errorLine);
    } catch (BlockException e) {
      throw ToolException.of("", e).followedBy("Check failed: " + e.errno().message());
    }
  }
}

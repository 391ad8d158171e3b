package org.tinamou.tools.img;

import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.base.ClockType;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.qapi.HumanSize;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.SizeArgument;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.WholeNumber;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.image.OpenImage;
import org.tinamou.tools.image.OpenRequest;

/** {@code img bench}: times many reads or writes of one size. */
final class BenchCommand implements ImgCommand {
  private static final String LETTERS = ":hc:d:f:ni:o:qs:S:t:wU";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.withValue("flush-interval", ImgOptions.FLUSH_INTERVAL),
          LongOption.flag("image-opts", ImgOptions.IMAGE_OPTS),
          LongOption.withValue("pattern", ImgOptions.PATTERN),
          LongOption.flag("no-drain", ImgOptions.NO_DRAIN),
          LongOption.flag("force-share", 'U'));

  private final ImageChoice choice = new ImageChoice();
  private CacheMode cache = CacheMode.WRITEBACK;
  private boolean nativeAio;
  private int count = 75_000;
  private int depth = 64;
  private int bufferBytes = 4096;
  private int stepBytes;
  private int flushInterval;
  private int pattern;
  private long offsetBytes;
  private boolean write;
  private boolean drain = true;

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions scan = new ImgOptions(console, "bench", arguments, LETTERS, LONG);
    for (int code = scan.next(); code != ImgOptions.END; code = scan.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'n' -> nativeAio = true;
        case 'w' -> write = true;
        case 'q' -> {
          // Accepted, and of no effect.
        }
        case ImgOptions.NO_DRAIN -> drain = false;
        default -> takeValue(console, code, scan);
      }
    }
    List<String> operands = scan.operands();
    if (operands.size() != 1) {
      throw ImgOptions.usage(console, "Expecting one image file name");
    }
    if (!write && flushInterval != 0) {
      throw new ToolException("--flush-interval is only available in write tests");
    }
    if (flushInterval != 0 && flushInterval < depth) {
      throw new ToolException("Flush interval can't be smaller than depth");
    }
    choice.check();
    String name = operands.getFirst();
    OpenRequest request = write ? choice.writing(name, cache) : choice.reading(name, cache);
    return LoopRunner.run("bench", context -> bench(context, console, request));
  }

  private void takeValue(Console console, int code, ImgOptions scan) throws ToolException {
    switch (code) {
      case 'c' -> count = number(scan.value(), 0, Integer.MAX_VALUE, "request count");
      case 'd' -> depth = number(scan.value(), 1, Integer.MAX_VALUE, "queue depth");
      case 'i' -> engine(scan.value());
      case 'o' -> offsetBytes = SizeArgument.parse(console, "offset", scan.value());
      case 's' ->
          bufferBytes =
              (int) SizeArgument.parse(console, "buffer size", scan.value(), 0, Integer.MAX_VALUE);
      case 'S' ->
          stepBytes =
              (int) SizeArgument.parse(console, "step_size", scan.value(), 0, Integer.MAX_VALUE);
      case 't' -> {
        CacheMode mode = CacheMode.parse(scan.value());
        if (mode == null) {
          throw new ToolException("Invalid cache mode");
        }
        cache = mode;
      }
      case ImgOptions.FLUSH_INTERVAL ->
          flushInterval = number(scan.value(), 0, Integer.MAX_VALUE, "flush interval");
      case ImgOptions.PATTERN -> pattern = number(scan.value(), 0, 255, "pattern byte");
      default -> choice.take(code, scan);
    }
  }

  private static int number(String text, int least, int most, String what) throws ToolException {
    Long number = WholeNumber.parse(text);
    if (number == null || number < least || number > most) {
      throw new ToolException("Invalid " + what + " specified");
    }
    return number.intValue();
  }

  private void engine(String name) throws ToolException {
    switch (name) {
      case "threads", "io_uring" -> nativeAio = false;
      case "native" -> nativeAio = true;
      default -> throw new ToolException("Invalid aio option: " + name);
    }
  }

  private int bench(AioContext context, Console console, OpenRequest request) throws ToolException {
    OpenImage image = choice.openSilently(context, console, request);
    try {
      if (nativeAio && !cache.isDirect() && image.isHostFile()) {
        throw new ToolException(
            "Could not open '"
                + request.name()
                + "': aio=native was specified, but it requires cache.direct=on, which was not"
                + " specified.");
      }
      ImageChoice.warn(console, image);
      int step = stepBytes == 0 ? bufferBytes : stepBytes;
      console.line(
          "Sending %d %s requests, %d bytes each, %d in parallel (starting at offset %d, step size %d)"
              .formatted(count, write ? "write" : "read", bufferBytes, depth, offsetBytes, step));
      if (flushInterval != 0) {
        console.line("Sending flush every " + flushInterval + " requests");
      }
      console.out().flush();
      Benchmark benchmark =
          new Benchmark(
              context,
              image,
              new Benchmark.Plan(
                  count,
                  depth,
                  bufferBytes,
                  step,
                  offsetBytes,
                  write,
                  pattern,
                  flushInterval,
                  drain));
      long start = context.clocks().nanos(ClockType.REALTIME);
      benchmark.run();
      long nanos = context.clocks().nanos(ClockType.REALTIME) - start;
      console.line("Run completed in " + HumanSize.fixed(nanos / 1e9, 3) + " seconds.");
      return 0;
    } finally {
      image.close();
    }
  }
}

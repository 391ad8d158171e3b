package org.tinamou.tools.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.TraceOption;
import org.tinamou.tools.cli.TrustOptions;
import org.tinamou.tools.cli.UserObjects;
import org.tinamou.tools.cli.Version;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.getopt.OptionScanner;

/** Reads, writes and verifies a disk image by commands, as the reference's qemu-io does. */
public final class IoTool implements Tool {
  private static final int OBJECT = 256;
  private static final int IMAGE_OPTS = 257;
  private static final String LETTERS = "hVc:d:f:rsnCmki:t:T:U";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.flag("version", 'V'),
          LongOption.withValue("cmd", 'c'),
          LongOption.withValue("format", 'f'),
          LongOption.flag("read-only", 'r'),
          LongOption.flag("snapshot", 's'),
          LongOption.flag("nocache", 'n'),
          LongOption.flag("copy-on-read", 'C'),
          LongOption.flag("misalign", 'm'),
          LongOption.flag("native-aio", 'k'),
          LongOption.withValue("aio", 'i'),
          LongOption.withValue("discard", 'd'),
          LongOption.withValue("cache", 't'),
          LongOption.withValue("trace", 'T'),
          LongOption.flag("force-share", 'U'),
          LongOption.withValue("object", OBJECT),
          LongOption.flag("image-opts", IMAGE_OPTS),
          TrustOptions.LONG.getFirst(),
          TrustOptions.LONG.getLast());

  /** What the command line asks for. */
  private static final class Request {
    final IoOptions open = new IoOptions();
    final List<String> commands = new ArrayList<>();
    boolean misalign;
    boolean imageOpts;
    final UserObjects objects = new UserObjects();
  }

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    OptionScanner scanner =
        new OptionScanner(
            console.program(),
            arguments,
            LETTERS,
            LONG,
            console.err(),
            System.getenv("POSIXLY_CORRECT") != null);
    Request request = new Request();
    for (int code = scanner.next(); code != OptionScanner.END; code = scanner.next()) {
      switch (code) {
        case 'h' -> {
          console.out().print(IoHelp.usage(console.program()));
          return 0;
        }
        case 'V' -> {
          console.line(Version.text(console.program()));
          return 0;
        }
        case OptionScanner.UNKNOWN -> {
          console.out().print(IoHelp.usage(console.program()));
          return 1;
        }
        case 'T' -> TraceOption.accept(console, scanner.value());
        case OBJECT -> request.objects.add(console, scanner.value());
        default -> {
          if (!console.trust().take(code, scanner.valueOrNull())) {
            take(request, code, scanner);
          }
        }
      }
    }
    List<String> operands = scanner.operands();
    if (operands.size() > 1) {
      console.out().print(IoHelp.usage(console.program()));
      return 1;
    }
    String file = operands.isEmpty() ? null : operands.getFirst();
    if (file != null && request.imageOpts) {
      if (request.open.format != null) {
        throw new ToolException("--image-opts and -f are mutually exclusive");
      }
      request.open.addUnchecked(console, file);
      file = null;
    }
    String name = file;
    return LoopRunner.run("io", context -> converse(context, console, request, name));
  }

  private static void take(Request request, int code, OptionScanner scanner) throws ToolException {
    IoOptions open = request.open;
    switch (code) {
      case 'c' -> request.commands.add(scanner.value());
      case 'd' -> open.discard(scanner.value());
      case 'f' -> open.format = scanner.value();
      case 'r' -> open.readOnly = true;
      case 's' -> open.snapshot = true;
      case 'n' -> open.cache = CacheMode.NONE;
      case 'C' -> open.copyOnRead = true;
      case 'm' -> request.misalign = true;
      case 'k' -> open.nativeAio();
      case 'i' -> open.aio(scanner.value());
      case 't' -> open.cache(scanner.value());
      case 'U' -> open.forceShare = true;
      case IMAGE_OPTS -> request.imageOpts = true;
      default -> throw new IllegalStateException("option " + code);
    }
  }

  /** Opens the file, runs the commands and waits for what they have started. */
  private static int converse(
      AioContext context, Console console, Request request, @Nullable String file)
      throws ToolException, IOException {
    IoSession session =
        new IoSession(context, console, request.misalign, request.objects.registry());
    if (file != null || request.open.hasDriverOptions()) {
      session.open(file, request.open);
    }
    try {
      IoCommands commands = new IoCommands(session);
      boolean good =
          request.commands.isEmpty()
              ? readCommands(context, console, commands)
              : runCommands(request.commands, commands);
      return good ? 0 : 1;
    } finally {
      session.close();
    }
  }

  private static boolean runCommands(List<String> lines, IoCommands commands) {
    boolean good = true;
    for (String line : lines) {
      IoCommands.Outcome outcome = commands.run(line);
      if (outcome == IoCommands.Outcome.QUIT) {
        break;
      }
      good &= outcome == IoCommands.Outcome.OK;
    }
    return good;
  }

  private static boolean readCommands(AioContext context, Console console, IoCommands commands)
      throws IOException {
    boolean good = true;
    while (true) {
      console.out().print(console.program() + "> ");
      console.out().flush();
      Optional<String> line = context.callBlocking(() -> readLine(console.in()));
      if (line.isEmpty()) {
        return good;
      }
      IoCommands.Outcome outcome = commands.run(line.get());
      if (outcome == IoCommands.Outcome.QUIT) {
        return good;
      }
      good &= outcome == IoCommands.Outcome.OK;
    }
  }

  /** A line without its end, or nothing at the end of the input. */
  private static Optional<String> readLine(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int next = in.read();
    if (next < 0) {
      return Optional.empty();
    }
    while (next >= 0 && next != '\n') {
      line.write(next);
      next = in.read();
    }
    return Optional.of(line.toString(StandardCharsets.UTF_8));
  }
}

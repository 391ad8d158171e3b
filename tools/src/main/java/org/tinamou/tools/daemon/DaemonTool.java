package org.tinamou.tools.daemon;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.tools.cli.BackgroundWorker;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.TraceOption;
import org.tinamou.tools.cli.Version;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.getopt.OptionScanner;

/** The storage daemon, which takes what the reference's qemu-storage-daemon takes. */
public final class DaemonTool implements Tool {
  private static final int BLOCKDEV = 256;
  private static final int CHARDEV = 257;
  private static final int DAEMONIZE = 258;
  private static final int EXPORT = 259;
  private static final int MONITOR = 260;
  private static final int NBD_SERVER = 261;
  private static final int OBJECT = 262;
  private static final int PIDFILE = 263;

  private static final String LETTERS = "-hT:V";
  private static final List<LongOption> LONG =
      List.of(
          LongOption.withValue("blockdev", BLOCKDEV),
          LongOption.withValue("chardev", CHARDEV),
          LongOption.flag("daemonize", DAEMONIZE),
          LongOption.withValue("export", EXPORT),
          LongOption.flag("help", 'h'),
          LongOption.withValue("monitor", MONITOR),
          LongOption.withValue("nbd-server", NBD_SERVER),
          LongOption.withValue("object", OBJECT),
          LongOption.withValue("pidfile", PIDFILE),
          LongOption.withValue("trace", 'T'),
          LongOption.flag("version", 'V'));

  /** What one option of the command line is about. */
  enum Kind {
    BLOCKDEV("blockdev"),
    CHARDEV("chardev"),
    EXPORT("export"),
    MONITOR("monitor"),
    NBD_SERVER("nbd-server"),
    OBJECT("object");

    private final String option;

    Kind(String option) {
      this.option = option;
    }

    /** How it is written, without the dashes. */
    String option() {
      return option;
    }
  }

  /** One of the options that are carried out in turn. */
  record Step(Kind kind, String value) {}

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    OptionScanner scanner =
        new OptionScanner(
            console.program(), arguments, LETTERS.substring(1), LONG, console.err(), false);
    List<Step> steps = new ArrayList<>();
    @Nullable String pidFile = null;
    boolean background = false;
    for (int code = scanner.next(); code != OptionScanner.END; code = scanner.next()) {
      switch (code) {
        case 'h' -> {
          console.out().print(DaemonHelp.usage(console.program()));
          return 0;
        }
        case 'V' -> {
          console.line(Version.text(console.program()));
          return 0;
        }
        case 'T' -> TraceOption.accept(console, scanner.value());
        case OptionScanner.UNKNOWN -> throw new ToolException(1, List.of(), null);
        case DAEMONIZE -> background = true;
        case PIDFILE -> pidFile = scanner.value();
        default -> steps.add(new Step(kind(code), scanner.value()));
      }
    }
    if (!scanner.operands().isEmpty()) {
      throw new ToolException(scanner.operands().getFirst() + ": Unexpected argument");
    }
    if (background && !BackgroundWorker.isBackground()) {
      return BackgroundWorker.start(console, "--daemonize");
    }
    String writtenTo = pidFile;
    return LoopRunner.runWithLoops(
        "storage daemon",
        (loops, context) -> new DaemonRun(loops, context, console, steps, writtenTo).run());
  }

  private static Kind kind(int code) {
    return switch (code) {
      case BLOCKDEV -> Kind.BLOCKDEV;
      case CHARDEV -> Kind.CHARDEV;
      case EXPORT -> Kind.EXPORT;
      case MONITOR -> Kind.MONITOR;
      case NBD_SERVER -> Kind.NBD_SERVER;
      case OBJECT -> Kind.OBJECT;
      default -> throw new IllegalStateException("option " + code);
    };
  }
}

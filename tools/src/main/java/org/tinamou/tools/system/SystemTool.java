package org.tinamou.tools.system;

import java.util.List;
import org.tinamou.tools.cli.BackgroundWorker;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.TraceOption;
import org.tinamou.tools.cli.Version;

/** A machine without a processor: its drives, monitors and exports. */
public final class SystemTool implements Tool {
  @Override
  public int run(Console console, List<String> words) throws ToolException {
    SystemArguments arguments = SystemArguments.parse(words);
    for (SystemArguments.Given given : arguments.all()) {
      switch (given.name()) {
        case "h", "help" -> {
          console.out().print(SystemHelp.text(console.program()));
          return 0;
        }
        case "version" -> {
          console.line(Version.text("QEMU emulator"));
          return 0;
        }
        case "trace" -> TraceOption.accept(console, given.text());
        default -> {}
      }
    }
    MachineOptions.check(arguments, console);
    SystemArguments.Given background = arguments.last("daemonize");
    if (background != null && !BackgroundWorker.isBackground()) {
      refuseTerminal(arguments);
      String word = background.where();
      return BackgroundWorker.start(console, word.substring(0, word.indexOf(':')));
    }
    return LoopRunner.runWithLoops(
        "machine", (loops, context) -> new SystemSession(console, arguments, loops, context).run());
  }

  /** In the background there is nobody at the terminal. */
  private static void refuseTerminal(SystemArguments arguments) throws ToolException {
    if (arguments.has("nographic") && !arguments.has("nodefaults")) {
      throw new ToolException("-nographic cannot be used with -daemonize");
    }
    for (SystemArguments.Given given :
        arguments.of("monitor", "qmp", "qmp-pretty", "serial", "parallel")) {
      if (given.text().endsWith("stdio")) {
        throw new ToolException(given.where() + "cannot use stdio with -daemonize");
      }
    }
  }
}

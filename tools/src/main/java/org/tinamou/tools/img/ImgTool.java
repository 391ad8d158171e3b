package org.tinamou.tools.img;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Tool;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.TraceOption;
import org.tinamou.tools.cli.Version;
import org.tinamou.tools.getopt.LongOption;

/** Makes, describes, converts and compares disk images, as the reference's qemu-img does. */
public final class ImgTool implements Tool {
  private static final List<LongOption> OPTIONS =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.flag("version", 'V'),
          LongOption.withValue("trace", 'T'));

  @Override
  public int run(Console console, List<String> arguments) throws ToolException {
    ImgOptions options = new ImgOptions(console, console.program(), arguments, "+:hVT:", OPTIONS);
    for (int code = options.next(); code != ImgOptions.END; code = options.next()) {
      switch (code) {
        case 'h' -> {
          return ImgHelp.print(console);
        }
        case 'V' -> {
          console.line(Version.text(console.program()));
          return 0;
        }
        case 'T' -> TraceOption.accept(console, options.value());
        default -> throw new IllegalStateException("option " + code);
      }
    }
    List<String> operands = options.operands();
    if (operands.isEmpty()) {
      throw ImgOptions.usage(console, "Not enough arguments");
    }
    String name = operands.getFirst();
    ImgCommand command = command(name);
    if (command == null) {
      throw ImgOptions.usage(console, "Command not found: " + name);
    }
    return command.run(console, operands.subList(1, operands.size()));
  }

  private static @Nullable ImgCommand command(String name) {
    return switch (name) {
      case "amend" -> new AmendCommand();
      case "bench" -> new BenchCommand();
      case "bitmap" -> new BitmapCommand();
      case "check" -> new CheckCommand();
      case "commit" -> new CommitCommand();
      case "compact" -> new CompactCommand();
      case "compare" -> new CompareCommand();
      case "convert" -> new ConvertCommand();
      case "create" -> new CreateCommand();
      case "dd" -> new DdCommand();
      case "diff" -> new DiffCommand();
      case "info" -> new InfoCommand();
      case "map" -> new MapCommand();
      case "measure" -> new MeasureCommand();
      case "rebase" -> new RebaseCommand();
      case "resize" -> new ResizeCommand();
      case "snapshot" -> new SnapshotCommand();
      default -> null;
    };
  }
}

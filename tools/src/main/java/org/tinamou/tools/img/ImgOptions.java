package org.tinamou.tools.img;

import java.util.List;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.getopt.OptionScanner;

/** The options of one command; wrong ones end it with the tool's own messages. */
final class ImgOptions {
  static final int END = OptionScanner.END;

  /** Codes of options without a letter. */
  static final int OBJECT = 256;

  static final int IMAGE_OPTS = 257;
  static final int OUTPUT = 258;
  static final int BACKING_CHAIN = 259;
  static final int TARGET_IMAGE_OPTS = 260;
  static final int TARGET_IS_ZERO = 261;
  static final int SALVAGE = 262;
  static final int BITMAPS = 263;
  static final int SKIP_BROKEN_BITMAPS = 264;

  private final Console console;
  private final String command;
  private final OptionScanner scanner;

  /**
   * @param command the word in front of the arguments
   * @param letters begin with a colon, which may follow a plus
   */
  ImgOptions(
      Console console,
      String command,
      List<String> arguments,
      String letters,
      List<LongOption> longOptions) {
    this.console = console;
    this.command = command;
    this.scanner =
        new OptionScanner(
            command,
            arguments,
            letters,
            longOptions,
            console.err(),
            System.getenv("POSIXLY_CORRECT") != null);
  }

  int next() throws ToolException {
    int code = scanner.next();
    return switch (code) {
      case OptionScanner.UNKNOWN ->
          throw usage(console, "unrecognized option '" + scanner.lastWord(command) + "'");
      case OptionScanner.MISSING_VALUE ->
          throw usage(console, "missing argument for option '" + scanner.lastWord(command) + "'");
      default -> code;
    };
  }

  String value() {
    return scanner.value();
  }

  List<String> operands() {
    return scanner.operands();
  }

  /** A mistake in the command line, with the way to the help. */
  static ToolException usage(Console console, String message) {
    return new ToolException(
        1, List.of(message), "Try '" + console.program() + " --help' for more information");
  }

  static ToolException imageOpts() {
    return new ToolException("--image-opts is not supported by this version of Tinamou");
  }
}

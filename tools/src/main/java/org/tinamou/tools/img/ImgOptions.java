package org.tinamou.tools.img;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ProgressFeed;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.TrustOptions;
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
  static final int SIZE = 265;
  static final int PREALLOCATION = 266;
  static final int SHRINK = 267;
  static final int PATTERN = 268;
  static final int FLUSH_INTERVAL = 269;
  static final int NO_DRAIN = 270;
  static final int FORCE = 271;
  static final int ADD = 272;
  static final int REMOVE = 273;
  static final int CLEAR = 274;
  static final int ENABLE = 275;
  static final int DISABLE = 276;
  static final int MERGE = 277;
  static final int SHARED = 278;
  static final int MAP = 279;
  static final int DRY_RUN = 280;
  static final int RESUME = 281;

  /** Beyond it are the options that belong to no single command. */
  private static final int LAST_OF_COMMANDS = 1000;

  /** For commands that read an image that others may be writing to. */
  static final LongOption SHARED_OPTION =
      LongOption.ofOurs("shared", LongOption.Argument.NONE, SHARED);

  private final Console console;
  private final String command;
  private final OptionScanner scanner;
  private final boolean quiet;

  /**
   * @param command the word in front of the arguments
   * @param letters where they do not begin with a colon, which may follow a plus, what is wrong is
   *     told in getopt's words and leads to the help
   */
  ImgOptions(
      Console console,
      String command,
      List<String> arguments,
      String letters,
      List<LongOption> longOptions) {
    this.console = console;
    this.command = command;
    this.quiet = letters.startsWith(":") || letters.startsWith("+:");
    this.scanner =
        new OptionScanner(
            command,
            arguments,
            letters,
            withOurs(longOptions),
            console.err(),
            System.getenv("POSIXLY_CORRECT") != null);
  }

  private static List<LongOption> withOurs(List<LongOption> longOptions) {
    List<LongOption> all = new ArrayList<>(longOptions);
    all.addAll(TrustOptions.LONG);
    all.addAll(ProgressFeed.LONG);
    return all;
  }

  int next() throws ToolException {
    int code = scanner.next();
    while (code > LAST_OF_COMMANDS && console.takeCommon(code, scanner.valueOrNull())) {
      code = scanner.next();
    }
    if (code == OptionScanner.UNKNOWN && !quiet) {
      return 'h';
    }
    return switch (code) {
      case OptionScanner.UNKNOWN ->
          throw usage(console, "unrecognized option '" + scanner.lastWord(command) + "'");
      case OptionScanner.MISSING_VALUE ->
          throw usage(console, "missing argument for option '" + scanner.lastWord(command) + "'");
      default -> code;
    };
  }

  Console console() {
    return console;
  }

  String value() {
    return scanner.value();
  }

  @Nullable String valueOrNull() {
    return scanner.valueOrNull();
  }

  List<String> operands() {
    return scanner.operands();
  }

  /** A mistake in the command line, with the way to the help. */
  static ToolException usage(Console console, String message) {
    return new ToolException(
        1, List.of(message), "Try '" + console.program() + " --help' for more information");
  }
}

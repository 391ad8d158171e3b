package org.tinamou.tools.cli;

import java.util.List;
import org.tinamou.qapi.SizeText;

/** Sizes on command lines: not negative, below 2^63. */
public final class SizeArgument {
  private SizeArgument() {}

  /**
   * Reads a size.
   *
   * @param what what the size is for, in messages
   */
  public static long parse(Console console, String what, String text) throws ToolException {
    return switch (SizeText.parse(text)) {
      case SizeText.Result.Size(long bytes, String warning) -> {
        console.warning(warning);
        if (bytes < 0) {
          throw tooLarge(what);
        }
        yield bytes;
      }
      case SizeText.Result.TooLarge() -> throw tooLarge(what);
      case SizeText.Result.NotASize() ->
          throw new ToolException(
              1,
              List.of(
                  "Invalid " + what + " specified. You may use k, M, G, T, P or E suffixes for",
                  "kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes."),
              null);
    };
  }

  private static ToolException tooLarge(String what) {
    return new ToolException(
        "Invalid " + what + " specified. Must be between 0 and " + Long.MAX_VALUE + ".");
  }
}

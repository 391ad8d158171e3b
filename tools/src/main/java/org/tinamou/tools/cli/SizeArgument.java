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
    return parse(console, what, text, 0, Long.MAX_VALUE);
  }

  /** Reads a size that lies between two others, or is one of them. */
  public static long parse(Console console, String what, String text, long least, long most)
      throws ToolException {
    return switch (SizeText.parse(text)) {
      case SizeText.Result.Size(long bytes, String warning) -> {
        console.warning(warning);
        if (bytes < least || bytes > most) {
          throw outside(what, least, most);
        }
        yield bytes;
      }
      case SizeText.Result.TooLarge() -> throw outside(what, least, most);
      case SizeText.Result.NotASize() ->
          throw new ToolException(
              1,
              List.of(
                  "Invalid " + what + " specified. You may use k, M, G, T, P or E suffixes for",
                  "kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes."),
              null);
    };
  }

  private static ToolException outside(String what, long least, long most) {
    return new ToolException(
        "Invalid " + what + " specified. Must be between " + least + " and " + most + ".");
  }
}

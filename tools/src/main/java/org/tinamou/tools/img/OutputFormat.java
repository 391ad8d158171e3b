package org.tinamou.tools.img;

import org.jspecify.annotations.Nullable;
import org.tinamou.tools.cli.ToolException;

/** The value of {@code --output}. */
final class OutputFormat {
  private OutputFormat() {}

  /** Whether JSON is wanted; people are written for unless it is. */
  static boolean isJson(@Nullable String value) throws ToolException {
    return switch (value) {
      case null -> false;
      case "human" -> false;
      case "json" -> true;
      default -> throw new ToolException("--output must be used with human or json as argument.");
    };
  }
}

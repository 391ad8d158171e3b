package org.tinamou.tools.img;

import org.jspecify.annotations.Nullable;
import org.tinamou.tools.cli.ToolException;

/** The value of {@code --output}. */
final class OutputFormat {
  private OutputFormat() {}

  /** Whether JSON is wanted; people are written for unless it is. */
  static boolean isJson(@Nullable String value) throws ToolException {
    if (value == null || value.equals("human")) {
      return false;
    }
    if (value.equals("json")) {
      return true;
    }
    throw new ToolException("--output must be used with human or json as argument.");
  }
}

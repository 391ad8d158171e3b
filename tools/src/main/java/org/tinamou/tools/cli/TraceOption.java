package org.tinamou.tools.cli;

import java.util.List;

/** The option {@code -T}: there are no events to trace, so naming one earns a warning. */
public final class TraceOption {
  private static final String ENABLE = "enable=";

  private TraceOption() {}

  /**
   * Takes {@code [[enable=]pattern][,events=file][,file=file]}.
   *
   * @throws ToolException with exit code 0 and no message where the pattern is {@code help}: the
   *     list of events is empty, and nothing else is done
   */
  public static void accept(Console console, String value) throws ToolException {
    int comma = value.indexOf(',');
    String pattern = comma < 0 ? value : value.substring(0, comma);
    if (pattern.startsWith(ENABLE)) {
      pattern = pattern.substring(ENABLE.length());
    } else if (pattern.indexOf('=') >= 0) {
      return;
    }
    if (pattern.equals("help")) {
      throw new ToolException(0, List.of(), null);
    }
    if (!pattern.isEmpty() && !pattern.contains("*")) {
      console.warning("trace event '" + pattern + "' does not exist");
    }
  }
}

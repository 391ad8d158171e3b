package org.tinamou.tools.cli;

/** The option {@code -T}: there are no events to trace, so naming one earns a warning. */
public final class TraceOption {
  private static final String ENABLE = "enable=";

  private TraceOption() {}

  /** Takes {@code [[enable=]pattern][,events=file][,file=file]}. */
  public static void accept(Console console, String value) {
    int comma = value.indexOf(',');
    String pattern = comma < 0 ? value : value.substring(0, comma);
    if (pattern.startsWith(ENABLE)) {
      pattern = pattern.substring(ENABLE.length());
    } else if (pattern.indexOf('=') >= 0) {
      return;
    }
    if (!pattern.equals("help") && !pattern.isEmpty() && !pattern.contains("*")) {
      console.warning("trace event '" + pattern + "' does not exist");
    }
  }
}

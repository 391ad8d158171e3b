package org.tinamou.monitor.hmp;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The text of a session: what is shown around the lines a person types. */
public final class LineSession {
  private static final String PROMPT = "(qemu) ";
  private static final String GREETING = "QEMU 7.2.22 monitor - type 'help' for more information\n";

  private final List<String> history;
  private final LineEditor editor;

  /**
   * A session at its start.
   *
   * @param history earlier lines, oldest first; gets those that are entered
   */
  public LineSession(HumanTable table, List<String> history) {
    this.history = history;
    this.editor = new LineEditor(PROMPT, history, table::completions);
  }

  /** What a person sees first. */
  public String greeting() {
    return GREETING + PROMPT;
  }

  /**
   * Takes a character that was typed.
   *
   * @param out gets what is to be shown
   * @return the line, if it is complete
   */
  public @Nullable String type(char character, StringBuilder out) {
    String line = editor.type(character, out);
    if (line != null && isHistory(line)) {
      int number = 0;
      for (String each : history) {
        out.append(number++).append(": '").append(each).append("'\n");
      }
      out.append(PROMPT);
      return null;
    }
    return line;
  }

  /** The history is the session's own. */
  private static boolean isHistory(String line) {
    return line.strip().matches("info\\s+history");
  }

  /** What is shown when a line was carried out. */
  public String answer(String printed) {
    return printed + PROMPT;
  }
}

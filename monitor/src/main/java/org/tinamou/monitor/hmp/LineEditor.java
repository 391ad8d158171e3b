package org.tinamou.monitor.hmp;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A line that is edited on a terminal, character by character, with a history. It says what the
 * terminal is to be sent; the terminal itself neither edits nor echoes. Confined to its session.
 */
final class LineEditor {
  private static final int MAX_LENGTH = 4095;
  private static final int MAX_HISTORY = 64;

  private enum State {
    NORMAL,
    ESCAPE,
    SEQUENCE
  }

  private final String prompt;
  private final Function<String, List<String>> completions;
  private final List<String> history;
  private final StringBuilder line = new StringBuilder();
  private int cursor;
  private String shown = "";
  private int shownCursor;
  private int historyAt = -1;
  private State state = State.NORMAL;
  private int parameter;

  /**
   * An empty line.
   *
   * @param history earlier lines, oldest first; gets those that are entered
   * @param completions the names that complete a beginning
   */
  LineEditor(String prompt, List<String> history, Function<String, List<String>> completions) {
    this.history = history;
    this.prompt = prompt;
    this.completions = completions;
  }

  /**
   * Takes a character.
   *
   * @param out gets what the terminal is to show
   * @return the line if it is complete
   */
  @Nullable String type(char character, StringBuilder out) {
    switch (state) {
      case NORMAL -> {
        if (character == '\n' || character == '\r') {
          return enter(out);
        }
        normal(character, out);
      }
      case ESCAPE -> {
        state = character == '[' || character == 'O' ? State.SEQUENCE : State.NORMAL;
        parameter = 0;
      }
      case SEQUENCE -> sequence(character);
    }
    show(out);
    return null;
  }

  private String enter(StringBuilder out) {
    String entered = line.toString();
    if (!entered.isEmpty()) {
      history.remove(entered);
      history.add(entered);
      if (history.size() > MAX_HISTORY) {
        history.removeFirst();
      }
    }
    historyAt = -1;
    out.append('\n');
    line.setLength(0);
    cursor = 0;
    shown = "";
    shownCursor = 0;
    return entered;
  }

  private void normal(char character, StringBuilder out) {
    switch (character) {
      case 1 -> cursor = 0;
      case 4 -> deleteAt(cursor);
      case 5 -> cursor = line.length();
      case 8, 127 -> deleteAt(cursor - 1);
      case 9 -> complete(out);
      case 23 -> deleteWord();
      case 27 -> state = State.ESCAPE;
      default -> {
        if (character >= 32 && line.length() < MAX_LENGTH) {
          line.insert(cursor++, character);
        }
      }
    }
  }

  private void sequence(char character) {
    if (Character.isDigit(character)) {
      parameter = Math.min(99, parameter * 10 + character - '0');
      return;
    }
    state = State.NORMAL;
    switch (character) {
      case 'A', 'F' -> recall(true);
      case 'B', 'E' -> recall(false);
      case 'C' -> cursor = Math.min(cursor + 1, line.length());
      case 'D' -> cursor = Math.max(cursor - 1, 0);
      case '~' -> {
        switch (parameter) {
          case 1 -> cursor = 0;
          case 3 -> deleteAt(cursor);
          case 4 -> cursor = line.length();
          default -> {}
        }
      }
      default -> {}
    }
  }

  private void deleteAt(int index) {
    if (index >= 0 && index < line.length()) {
      line.deleteCharAt(index);
      cursor = index;
    }
  }

  private void deleteWord() {
    int start = cursor;
    while (start > 0 && line.charAt(start - 1) == ' ') {
      start--;
    }
    while (start > 0 && line.charAt(start - 1) != ' ') {
      start--;
    }
    line.delete(start, cursor);
    cursor = start;
  }

  private void recall(boolean older) {
    int next = historyAt < 0 ? history.size() : historyAt;
    next += older ? -1 : 1;
    if (next < 0 || (historyAt < 0 && !older)) {
      return;
    }
    boolean beyond = next >= history.size();
    historyAt = beyond ? -1 : next;
    line.setLength(0);
    line.append(beyond ? "" : history.get(next));
    cursor = line.length();
  }

  private void complete(StringBuilder out) {
    String beginning = line.substring(0, cursor);
    List<String> names = completions.apply(beginning);
    String start = beginning.substring(beginning.lastIndexOf(' ') + 1);
    if (names.isEmpty()) {
      return;
    }
    String common = names.getFirst();
    for (String name : names) {
      while (!name.startsWith(common)) {
        common = common.substring(0, common.length() - 1);
      }
    }
    String added = common.substring(start.length()) + (names.size() == 1 ? " " : "");
    line.insert(cursor, added);
    cursor += added.length();
    if (names.size() > 1 && added.isEmpty()) {
      out.append('\n').append(String.join("  ", names)).append('\n').append(prompt);
      shown = "";
      shownCursor = 0;
    }
  }

  /** Writes the line over the one that is shown, and puts the cursor where it belongs. */
  private void show(StringBuilder out) {
    String now = line.toString();
    if (!now.equals(shown)) {
      out.repeat("\033[D", shownCursor).append(now).append("\033[K");
      shown = now;
      shownCursor = now.length();
    }
    if (cursor > shownCursor) {
      out.repeat("\033[C", cursor - shownCursor);
    } else {
      out.repeat("\033[D", shownCursor - cursor);
    }
    shownCursor = cursor;
  }
}

package org.tinamou.qapi;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A list of options as written on a command line, {@code key=value,key=value}, in the order given.
 * A comma inside a value is doubled.
 */
public final class OptionList {
  /**
   * One option.
   *
   * @param value null if only a key was written
   */
  public record Entry(String key, @Nullable String value) {
    /** Whether the entry asks for help: a lone {@code help} or {@code ?}. */
    public boolean isHelp() {
      return value == null && (key.equals("help") || key.equals("?"));
    }
  }

  private OptionList() {}

  /** Splits a list; an empty text has no entries. */
  public static List<Entry> parse(String text) {
    List<Entry> entries = new ArrayList<>();
    int position = 0;
    while (position < text.length()) {
      int end = position;
      while (end < text.length() && text.charAt(end) != '=' && text.charAt(end) != ',') {
        end++;
      }
      String key = text.substring(position, end);
      if (end < text.length() && text.charAt(end) == '=') {
        StringBuilder value = new StringBuilder();
        position = readValue(text, end + 1, value);
        entries.add(new Entry(key, value.toString()));
      } else {
        entries.add(new Entry(key, null));
        position = end + 1;
      }
    }
    return entries;
  }

  /**
   * The values by their keys; of several with the same key the last one counts. A lone key stands
   * for "on", a lone key that begins with "no" switches the rest of it off.
   */
  public static Map<String, String> values(String text) {
    Map<String, String> values = new LinkedHashMap<>();
    for (Entry entry : parse(text)) {
      String value = entry.value();
      if (value != null) {
        values.put(entry.key(), value);
      } else if (entry.key().startsWith("no")) {
        values.put(entry.key().substring(2), "off");
      } else {
        values.put(entry.key(), "on");
      }
    }
    return values;
  }

  /** Appends the value that starts at {@code position} and returns where the next entry starts. */
  static int readValue(String text, int position, StringBuilder value) {
    int next = position;
    while (next < text.length()) {
      char character = text.charAt(next++);
      if (character == ',') {
        if (next >= text.length() || text.charAt(next) != ',') {
          break;
        }
        next++;
      }
      value.append(character);
    }
    return next;
  }

  /** Whether one of the entries asks for help. */
  public static boolean asksForHelp(String text) {
    return parse(text).stream().anyMatch(Entry::isHelp);
  }

  /**
   * Whether the text can be joined with others by commas and still mean the same: it neither starts
   * nor ends with a lone comma and is not empty.
   */
  public static boolean canBeJoined(String text) {
    int trailing = 0;
    while (trailing < text.length() && text.charAt(text.length() - 1 - trailing) == ',') {
      trailing++;
    }
    return !text.isEmpty() && text.charAt(0) != ',' && trailing % 2 == 0;
  }
}

package org.tinamou.tools.cli;

import org.jspecify.annotations.Nullable;
import org.tinamou.qapi.OptionList;

/** Option lists of command lines, {@code key=value,...}. */
public final class OptionText {
  private OptionText() {}

  /**
   * The same list with its first word's key, where that is left out, and a warning for each other
   * word without a value.
   *
   * @param firstKey the key of a first word that has none, or null if that means nothing special
   */
  public static String spelledOut(Console console, String text, @Nullable String firstKey) {
    boolean first = true;
    String spelled = text;
    for (OptionList.Entry entry : OptionList.parse(text)) {
      if (entry.value() == null && first && firstKey != null) {
        spelled = firstKey + "=" + text;
      } else if (entry.value() == null) {
        warn(console, entry.key());
      }
      first = false;
    }
    return spelled;
  }

  private static void warn(Console console, String key) {
    boolean negated = key.startsWith("no");
    String positive = negated ? key.substring(2) : key;
    console.warning("short-form boolean option '" + key + "' deprecated");
    console.errorLine("Please use " + positive + "=" + (negated ? "off" : "on") + " instead");
  }
}

package org.tinamou.tools.getopt;

/**
 * An option with a name of several letters.
 *
 * @param name without dashes
 * @param argument whether a value belongs to it
 * @param code what {@link OptionScanner#next()} returns for it: a letter, or a number above 255
 */
public record LongOption(String name, Argument argument, int code) {
  /** Whether a value belongs to an option. */
  public enum Argument {
    NONE,
    REQUIRED,
    /** Only as {@code --name=value}. */
    OPTIONAL
  }

  public static LongOption flag(String name, int code) {
    return new LongOption(name, Argument.NONE, code);
  }

  public static LongOption withValue(String name, int code) {
    return new LongOption(name, Argument.REQUIRED, code);
  }
}

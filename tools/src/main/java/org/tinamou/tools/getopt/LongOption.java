package org.tinamou.tools.getopt;

/**
 * An option with a name of several letters.
 *
 * @param name without dashes
 * @param argument whether a value belongs to it
 * @param code what {@link OptionScanner#next()} returns for it: a letter, or a number above 255
 * @param abbreviable whether the beginning of the name stands for it where nothing else begins so
 */
public record LongOption(String name, Argument argument, int code, boolean abbreviable) {
  /** Whether a value belongs to an option. */
  public enum Argument {
    NONE,
    REQUIRED,
    /** Only as {@code --name=value}. */
    OPTIONAL
  }

  public static LongOption flag(String name, int code) {
    return new LongOption(name, Argument.NONE, code, true);
  }

  public static LongOption withValue(String name, int code) {
    return new LongOption(name, Argument.REQUIRED, code, true);
  }

  /** An option that the reference lacks: it must not make the reference's shorter forms unclear. */
  public static LongOption ofOurs(String name, Argument argument, int code) {
    return new LongOption(name, argument, code, false);
  }
}

package org.tinamou.monitor.hmp;

/**
 * What stands behind a command's name.
 *
 * @param name under which the command finds it; of a flag its letter
 */
public record HumanArgument(String name, Kind kind, boolean optional) {
  /** What an argument's text means. */
  public enum Kind {
    /** A letter behind a dash. */
    FLAG(""),
    /** A block device or node. */
    DEVICE("block device name expected"),
    FILE("filename expected"),
    STRING("string expected"),
    /** All that is left of the line. */
    REST("string expected"),
    /** A calculation of 32 bits. */
    INTEGER(""),
    /** A calculation of 64 bits. */
    LONG(""),
    /** Bytes, of which a plain number counts 2^20. */
    SIZE("");

    final String missing;

    Kind(String missing) {
      this.missing = missing;
    }
  }

  public static HumanArgument flag(char letter) {
    return new HumanArgument(String.valueOf(letter), Kind.FLAG, true);
  }

  public static HumanArgument required(String name, Kind kind) {
    return new HumanArgument(name, kind, false);
  }

  public static HumanArgument optional(String name, Kind kind) {
    return new HumanArgument(name, kind, true);
  }
}

package org.tinamou.qapi;

import java.util.Objects;
import org.tinamou.qapi.OptionReader.Style;

/**
 * Single values of options: what each {@link Style} accepts for a type, and how it complains. Names
 * in messages are whole ("file.size"), except where ranges are told: those name the member alone.
 */
public final class OptionScalars {
  private static final String SIZE_HINT =
      """
      Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-
      and exabytes, respectively.""";

  private OptionScalars() {}

  /** A string; in file names any scalar stands for its text. */
  public static String string(Style style, Json value, String fullName) throws OptionException {
    if (value instanceof Json.Text(String text)) {
      return text;
    }
    if (style == Style.LOOSE) {
      return text(value);
    }
    throw wrongType(fullName, "string");
  }

  /** A boolean, on or off where it is text. */
  public static boolean bool(Style style, Json value, String fullName) throws OptionException {
    if (value instanceof Json.Bool(boolean bool) && style != Style.KEY_VALUE) {
      return bool;
    }
    if (style == Style.TYPED) {
      throw wrongType(fullName, "boolean");
    }
    return OptionSchema.bool(fullName, text(value));
  }

  /** A signed 64-bit number. */
  public static long int64(Style style, Json value, String fullName) throws OptionException {
    if (style == Style.LOOSE) {
      return looseNumber(value, fullName);
    }
    if (style == Style.TYPED) {
      if (value instanceof Json.Whole(long whole)) {
        return whole;
      }
      throw wrongType(fullName, "integer");
    }
    Long number = CNumbers.signed(text(value));
    if (number == null) {
      throw expects(fullName, "integer");
    }
    return number;
  }

  /** An unsigned 64-bit number; a negative one counts from 2^64 down. */
  public static long uint64(Style style, Json value, String fullName) throws OptionException {
    if (style == Style.LOOSE) {
      return looseNumber(value, fullName);
    }
    if (style == Style.TYPED) {
      return switch (value) {
        case Json.Whole(long whole) -> whole;
        case Json.Unsigned(long bits) -> bits;
        default -> throw expects(fullName, "uint64");
      };
    }
    Long number = CNumbers.unsigned(text(value));
    if (number == null) {
      throw expects(fullName, "integer");
    }
    return number;
  }

  /**
   * Refuses a number that does not fit.
   *
   * @param bits the width, 8 to 64
   * @param memberName the member alone, without the objects it is in
   */
  public static long unsigned(long value, int bits, String memberName) throws OptionException {
    if (bits < Long.SIZE && value >>> bits != 0) {
      throw expects(memberName, "uint" + bits + "_t");
    }
    return value;
  }

  /** As {@link #unsigned} for signed numbers. */
  public static long signed(long value, int bits, String memberName) throws OptionException {
    int unused = Long.SIZE - bits;
    if (value << unused >> unused != value) {
      throw expects(memberName, "int" + bits + "_t");
    }
    return value;
  }

  /** A number of bytes below 2^64, with or without a suffix where it is text. */
  public static long size(Style style, Json value, String fullName) throws OptionException {
    if (style == Style.TYPED) {
      return uint64(style, value, fullName);
    }
    String text = text(value);
    if (SizeText.parse(text) instanceof SizeText.Result.Size(long bytes, String _)) {
      return bytes;
    }
    throw style == Style.KEY_VALUE ? expects(fullName, "size") : noSize(text, fullName);
  }

  private static OptionException noSize(String text, String fullName) {
    return SizeText.parse(text) instanceof SizeText.Result.TooLarge
        ? new OptionException(
            "Value '" + text + "' is out of range for parameter '" + fullName + "'")
        : new OptionException(
            "Parameter '" + fullName + "' expects a non-negative number below 2^64", SIZE_HINT);
  }

  /** A number that may have a fraction. */
  public static double number(Style style, Json value, String fullName) throws OptionException {
    if (style != Style.TYPED) {
      try {
        return Double.parseDouble(text(value));
      } catch (NumberFormatException e) {
        throw expects(fullName, "number");
      }
    }
    return switch (value) {
      case Json.Real(double real) -> real;
      case Json.Whole(long whole) -> whole;
      case Json.Unsigned(long bits) -> (bits >>> 1) * 2.0 + (bits & 1);
      default -> throw wrongType(fullName, "number");
    };
  }

  private static long looseNumber(Json value, String fullName) throws OptionException {
    Long number = CNumbers.unsigned(text(value));
    if (number == null) {
      throw expects(fullName, "a number");
    }
    return number;
  }

  private static String text(Json scalar) {
    return Objects.requireNonNull(OptionTree.scalarText(scalar));
  }

  /** The complaint about a value of another kind. */
  public static OptionException wrongType(String fullName, String expected) {
    return new OptionException(
        "Invalid parameter type for '" + fullName + "', expected: " + expected);
  }

  private static OptionException expects(String name, String what) {
    return new OptionException("Parameter '" + name + "' expects " + what);
  }
}

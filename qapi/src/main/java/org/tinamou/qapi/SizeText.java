package org.tinamou.qapi;

import org.jspecify.annotations.Nullable;

/**
 * Reads sizes as users write them: decimal digits with an optional fraction and one of the suffixes
 * B, k, M, G, T, P, E (powers of 1024, either case), or hexadecimal digits after {@code 0x}.
 *
 * <p>A fraction needs a suffix unless it is zero, and is rounded to the nearest byte. Exponents,
 * minus signs and anything after the suffix are refused.
 */
public final class SizeText {
  /** What a text means. */
  public sealed interface Result {
    /**
     * A size.
     *
     * @param bytes the size as an unsigned number
     * @param warning what to tell the user about the way it was written, or null
     */
    record Size(long bytes, @Nullable String warning) implements Result {}

    /** Not a size. */
    record NotASize() implements Result {}

    /** A size of 2^64 bytes or more. */
    record TooLarge() implements Result {}
  }

  private static final Result NOT_A_SIZE = new Result.NotASize();
  private static final Result TOO_LARGE = new Result.TooLarge();
  private static final String SUFFIXES = "BKMGTPE";

  private final String text;
  private int position;
  private boolean overflow;

  private SizeText(String text) {
    this.text = text;
  }

  /** Reads a size below 2^64; numbers without suffix count bytes. */
  public static Result parse(String text) {
    return new SizeText(text).read();
  }

  private Result read() {
    while (position < text.length() && isSpace(text.charAt(position))) {
      position++;
    }
    if (peek() == '+') {
      position++;
    }
    if (peek() == '0' && (peek(1) | 0x20) == 'x' && Character.digit(peek(2), 16) >= 0) {
      position += 2;
      return readHexadecimal();
    }
    return readDecimal();
  }

  private Result readHexadecimal() {
    long value = readDigits(16);
    if (peek() == '.') {
      return NOT_A_SIZE;
    }
    long unit = readUnit();
    if (position != text.length()) {
      return NOT_A_SIZE;
    }
    if (overflow || Math.unsignedMultiplyHigh(value, unit) != 0) {
      return TOO_LARGE;
    }
    String warning =
        unit == 1 ? null : "Using a multiplier suffix on hex numbers is deprecated: " + text;
    return new Result.Size(value * unit, warning);
  }

  private Result readDecimal() {
    if (!isDigit(peek())) {
      return NOT_A_SIZE;
    }
    long value = readDigits(10);
    long fraction = 0;
    if (peek() == '.') {
      int start = position;
      position++;
      while (isDigit(peek())) {
        position++;
      }
      fraction = binaryFraction(text.substring(start, position));
    }
    long unit = readUnit();
    if (position != text.length() || (unit == 1 && fraction != 0)) {
      return NOT_A_SIZE;
    }
    long low = fraction * unit;
    long part = Math.unsignedMultiplyHigh(fraction, unit) + (low >>> 63);
    long whole = value * unit;
    if (overflow
        || Math.unsignedMultiplyHigh(value, unit) != 0
        || Long.compareUnsigned(whole + part, whole) < 0) {
      return TOO_LARGE;
    }
    return new Result.Size(whole + part, null);
  }

  /**
   * The fraction in units of 2^-64. A fraction so close to one that it rounds to it counts as zero.
   */
  private static long binaryFraction(String digits) {
    if (digits.length() == 1) {
      return 0;
    }
    double value = Double.parseDouble(digits);
    if (value <= 0 || value >= 1) {
      return 0;
    }
    long upper = (long) (value * 0x1p63);
    double rest = value * 0x1p63 - upper;
    long scaled = (upper << 1) + (rest >= 0.5 ? 1 : 0);
    return scaled == 0 ? 1 : scaled;
  }

  private long readDigits(int radix) {
    long value = 0;
    for (int digit = Character.digit(peek(), radix);
        digit >= 0 && peek() < 0x80;
        digit = Character.digit(peek(), radix)) {
      if (Math.unsignedMultiplyHigh(value, radix) != 0
          || Long.compareUnsigned(value * radix + digit, value * radix) < 0) {
        overflow = true;
      }
      value = value * radix + digit;
      position++;
    }
    return value;
  }

  private long readUnit() {
    char letter = peek();
    int power = letter == 0 ? -1 : SUFFIXES.indexOf(letter & ~0x20);
    if (power < 0 || letter >= 0x80) {
      return 1;
    }
    position++;
    return 1L << (10 * power);
  }

  private char peek() {
    return peek(0);
  }

  private char peek(int ahead) {
    return position + ahead < text.length() ? text.charAt(position + ahead) : 0;
  }

  private static boolean isDigit(char character) {
    return character >= '0' && character <= '9';
  }

  private static boolean isSpace(char character) {
    return character == ' ' || (character >= '\t' && character <= '\r');
  }
}

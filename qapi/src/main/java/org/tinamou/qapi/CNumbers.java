package org.tinamou.qapi;

import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/**
 * Reads whole numbers as C programs do: white space and a sign in front, hexadecimal after {@code
 * 0x}, octal after {@code 0}, nothing behind.
 */
final class CNumbers {
  private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(Long.SIZE);

  private CNumbers() {}

  /** A number from -2^63 to 2^63 - 1, or null. */
  static @Nullable Long signed(String text) {
    BigInteger number = number(text);
    return number == null || number.bitLength() >= Long.SIZE ? null : number.longValue();
  }

  /** A number below 2^64, as 64 bits; a negative one counts from 2^64 down; or null. */
  static @Nullable Long unsigned(String text) {
    BigInteger number = number(text);
    return number == null || number.abs().compareTo(TWO_64) >= 0 ? null : number.longValue();
  }

  private static @Nullable BigInteger number(String text) {
    int start = 0;
    while (start < text.length() && isSpace(text.charAt(start))) {
      start++;
    }
    boolean negative = text.startsWith("-", start);
    if (negative || text.startsWith("+", start)) {
      start++;
    }
    int radix = 10;
    if (text.startsWith("0x", start) || text.startsWith("0X", start)) {
      radix = 16;
      start += 2;
    } else if (text.startsWith("0", start)) {
      radix = 8;
    }
    for (int i = start; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80 || Character.digit(text.charAt(i), radix) < 0) {
        return null;
      }
    }
    // Long before this many digits a number is too large.
    if (start == text.length() || text.length() - start > 1000) {
      return null;
    }
    BigInteger number = new BigInteger(text.substring(start), radix);
    return negative ? number.negate() : number;
  }

  private static boolean isSpace(char character) {
    return character == ' ' || (character >= '\t' && character <= '\r');
  }
}

package org.tinamou.tools.cli;

import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** Numbers in C's notation: decimal, {@code 0x} and hexadecimal, or {@code 0} and octal. */
public final class WholeNumber {
  private WholeNumber() {}

  /** The number, cut off at the limits of a long, or null if the text is none. */
  public static @Nullable Long parse(String text) {
    String digits = text.stripLeading();
    boolean negative = digits.startsWith("-");
    if (negative || digits.startsWith("+")) {
      digits = digits.substring(1);
    }
    int radix = 10;
    if (digits.length() > 2 && digits.startsWith("0") && (digits.charAt(1) | 0x20) == 'x') {
      radix = 16;
      digits = digits.substring(2);
    } else if (digits.length() > 1 && digits.startsWith("0")) {
      radix = 8;
    }
    if (digits.isEmpty() || Character.digit(digits.charAt(0), radix) < 0) {
      return null;
    }
    try {
      BigInteger value = new BigInteger(digits, radix);
      if (value.bitLength() > 63) {
        return negative ? Long.MIN_VALUE : Long.MAX_VALUE;
      }
      return negative ? -value.longValue() : value.longValue();
    } catch (NumberFormatException e) {
      return null;
    }
  }
}

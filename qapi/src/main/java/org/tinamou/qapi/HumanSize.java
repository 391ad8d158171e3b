package org.tinamou.qapi;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** Sizes for people, in the two styles that scripts know. */
public final class HumanSize {
  private static final int UNIT_BITS = 10;
  private static final String[] UNITS = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  private static final String[] LONG_UNITS = {
    "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB"
  };

  private HumanSize() {}

  /**
   * Three significant digits and a binary unit, e.g. "1.43 MiB" or "0 B"; the next unit is taken
   * from 1000 on, not from 1024.
   */
  public static String threeDigits(long bytes) {
    int power = 0;
    // The smallest unit in which the number is below 1000.
    while (power < UNITS.length - 1
        && Long.compareUnsigned(bytes, 1000L << (UNIT_BITS * power)) >= 0) {
      power++;
    }
    return general(bytes, UNIT_BITS * power) + " " + UNITS[power] + "B";
  }

  /**
   * As C's {@code %.3g} of {@code bytes / 2^bits}, which is less than 1000. In whole numbers: big
   * ones take longer at the start of a program than all else that it does.
   */
  private static String general(long bytes, int bits) {
    long whole = bytes >>> bits;
    if (bits == 0) {
      return Long.toString(whole);
    }
    int decimals = 3;
    long factor = 1000;
    for (long rest = whole; rest > 0; rest /= 10) {
      decimals--;
      factor /= 10;
    }
    long fraction = bytes & ((1L << bits) - 1);
    long low = fraction * factor;
    long digits =
        whole * factor + (Math.multiplyHigh(fraction, factor) << (Long.SIZE - bits) | low >>> bits);
    long rest = low & ((1L << bits) - 1);
    long half = 1L << (bits - 1);
    if (rest > half || (rest == half && digits % 2 != 0)) {
      digits++;
    }
    if (digits == 1000 && decimals == 0) {
      return "1e+03";
    }
    while (decimals > 0 && digits % 10 == 0) {
      digits /= 10;
      decimals--;
      factor /= 10;
    }
    if (decimals == 0) {
      return Long.toString(digits);
    }
    String after = Long.toString(digits % factor);
    return digits / factor + "." + "0".repeat(decimals - after.length()) + after;
  }

  /** Up to three decimals and a binary unit from 1024 on, e.g. "1.500 KiB", "64 KiB", "0 bytes". */
  public static String decimals(long bytes) {
    return decimals((double) bytes);
  }

  /** The same for numbers that are not whole. */
  public static String decimals(double bytes) {
    int power = 0;
    double scaled = bytes;
    while (power < LONG_UNITS.length - 1 && scaled >= 1024) {
      scaled /= 1024;
      power++;
    }
    String number = fixed(scaled, power == 0 ? 6 : 3);
    int dot = number.indexOf('.');
    boolean whole = number.substring(dot + 1).chars().allMatch(digit -> digit == '0');
    return (whole ? number.substring(0, dot) : number) + " " + LONG_UNITS[power];
  }

  /** As C's {@code %.<decimals>f}, the exact binary value rounded half to even. */
  public static String fixed(double value, int decimals) {
    if (Double.isInfinite(value) || Double.isNaN(value)) {
      return Double.isNaN(value) ? "-nan" : "inf";
    }
    return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString();
  }
}

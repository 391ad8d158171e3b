package org.tinamou.qapi;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Sizes for people, in the two styles that scripts know. */
public final class HumanSize {
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
    while (power < UNITS.length - 1 && Long.compareUnsigned(bytes, 1000L << (10 * power)) >= 0) {
      power++;
    }
    BigDecimal scaled =
        new BigDecimal(Long.toUnsignedString(bytes)).divide(BigDecimal.valueOf(1L << (10 * power)));
    return general(scaled) + " " + UNITS[power] + "B";
  }

  /** As C's {@code %.3g}. */
  private static String general(BigDecimal value) {
    BigDecimal rounded = value.round(new MathContext(3, RoundingMode.HALF_EVEN));
    if (rounded.signum() == 0) {
      return "0";
    }
    int exponent = rounded.precision() - rounded.scale() - 1;
    if (exponent >= 3) {
      BigDecimal mantissa = rounded.scaleByPowerOfTen(-exponent).stripTrailingZeros();
      return mantissa.toPlainString() + "e+" + (exponent < 10 ? "0" : "") + exponent;
    }
    return rounded.stripTrailingZeros().toPlainString();
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

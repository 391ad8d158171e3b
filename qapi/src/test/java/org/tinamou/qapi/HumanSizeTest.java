package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.base.SeededRandom;

class HumanSizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "512, 512 B",
    "1024, 1 KiB",
    "1536, 1.5 KiB",
    "1024000, 0.977 MiB",
    "1047552, 0.999 MiB",
    "1048576, 1 MiB",
    "1073637376, 1 GiB",
    "1048051712, 1e+03 MiB",
    "12345856, 11.8 MiB",
    "123456789504, 115 GiB",
    "1649267441664, 1.5 TiB"
  })
  void threeDigits(long bytes, String text) {
    assertEquals(text, HumanSize.threeDigits(bytes));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 bytes",
    "512, 512 bytes",
    "132.603396, 132.603396 bytes",
    "1024, 1 KiB",
    "1536, 1.500 KiB",
    "1000448, 977 KiB",
    "1024000, 1000 KiB",
    "1073637376, 1023.900 MiB",
    "123456789504, 114.978 GiB"
  })
  void decimals(double bytes, String text) {
    assertEquals(text, HumanSize.decimals(bytes));
  }

  @Test
  void threeDigitsAreRoundedAsTheExactNumberIs() {
    String[] units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    SeededRandom random = new SeededRandom(7);
    for (int round = 0; round < 20_000; round++) {
      // Of every order of magnitude; with some of the last bits off, so that halves occur.
      int off = random.nextInt(Long.SIZE);
      long bytes = random.nextLong() >>> (round % Long.SIZE) >>> off << off;
      String text = HumanSize.threeDigits(bytes);
      int blank = text.indexOf(' ');
      int power = List.of(units).indexOf(text.substring(blank + 1));
      BigDecimal exact =
          new BigDecimal(Long.toUnsignedString(bytes))
              .divide(BigDecimal.TWO.pow(10 * power))
              .round(new MathContext(3, RoundingMode.HALF_EVEN));
      assertEquals(0, exact.compareTo(new BigDecimal(text.substring(0, blank))), () -> text);
    }
  }
}

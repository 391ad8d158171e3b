package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
}

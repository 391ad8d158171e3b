package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizeTextTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1, 1",
    "+1, 1",
    "' 1', 1",
    "010, 10",
    "1b, 1",
    "1B, 1",
    "1k, 1024",
    "1K, 1024",
    "1.5k, 1536",
    "1., 1",
    "1.k, 1024",
    "5.0, 5",
    "1.00b, 1",
    "0.1k, 102",
    "0.0005k, 1",
    "0.0004k, 0",
    "0.0000000000000000001k, 0",
    "1.999999999999999999G, 1073741824",
    "1.9999999999999999M, 2097152",
    "1.5E, 1729382256910270464",
    "7E, 8070450532247928832",
    "0x10, 16",
    "0X1b, 27",
    "18446744073709551615, -1",
    "15.5E, -576460752303423488"
  })
  void sizes(String text, long bytes) {
    assertEquals(bytes, assertInstanceOf(SizeText.Result.Size.class, SizeText.parse(text)).bytes());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "x", "-1", "+-1", "1.5", "0.5b", "1kk", "1k ", "1KB", "1KiB", "1e3", "1.5e3", ".5M",
        "1.5.5", "0x", "0xg", "0x1.8k", "1s", "1,000", "1_000", "nan", "inf", "\u0661", "1\u212a"
      })
  void refused(String text) {
    assertInstanceOf(SizeText.Result.NotASize.class, SizeText.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"18446744073709551616", "99999999999999999999", "16E", "0xfffffffffffffffff"})
  void tooLarge(String text) {
    assertInstanceOf(SizeText.Result.TooLarge.class, SizeText.parse(text));
  }

  @Test
  void suffixOnHexadecimalIsWarnedOf() {
    SizeText.Result.Size size =
        assertInstanceOf(SizeText.Result.Size.class, SizeText.parse("0x10k"));
    assertEquals(16384, size.bytes());
    assertNotNull(size.warning());
  }
}

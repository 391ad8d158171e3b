package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.qapi.OptionSchema.Option;
import org.tinamou.qapi.OptionSchema.Type;

class OptionsTest {
  private static final OptionSchema SCHEMA =
      new OptionSchema(
          List.of(
              new Option("size", Type.SIZE, "How large"),
              new Option("cow", Type.BOOLEAN, "Copy on write"),
              new Option("mode", Type.STRING, "How"),
              new Option("extent_size_hint_longer", Type.NUMBER, "How many")));

  @Test
  void entriesKeepTheirOrderAndDoubledCommas() {
    assertEquals(
        List.of(
            new OptionList.Entry("a", "1,2"),
            new OptionList.Entry("b", null),
            new OptionList.Entry("c", ""),
            new OptionList.Entry("a", "=")),
        OptionList.parse("a=1,,2,b,c=,a=="));
  }

  @ParameterizedTest
  @CsvSource({
    "a, true",
    "'a,,', true",
    "'a,', false",
    "',a', false",
    "'a,,,', false",
    "'', false",
    "',,', false"
  })
  void lonelyCommasCannotBeJoined(String text, boolean expected) {
    assertEquals(expected, OptionList.canBeJoined(text));
  }

  @ParameterizedTest
  @CsvSource({"help, true", "?, true", "'a=1,help', true", "help=1, false", "a=help, false"})
  void help(String text, boolean expected) {
    assertEquals(expected, OptionList.asksForHelp(text));
  }

  @Test
  void lastValueCountsAndReportFollowsTheSchema() throws OptionException {
    OptionValues values = SCHEMA.parse("mode=x,size=1k,size=2k,nocow");
    assertEquals(2048, values.size("size", 0));
    assertFalse(values.bool("cow", true));
    assertEquals("size=2048 cow=off mode=x", values.report());
    assertEquals(5, values.size("nothing", 5));
    assertTrue(values.with("cow", "yes").bool("cow", false));
  }

  @ParameterizedTest
  @CsvSource({
    "foo=1, Invalid parameter 'foo'",
    "nomode=1, Invalid parameter 'nomode'",
    "nofoo, Invalid parameter 'foo'",
    "size=, Parameter 'size' expects a non-negative number below 2^64",
    "size, Parameter 'size' expects a non-negative number below 2^64",
    "size=16E, Value '16E' is out of range for parameter 'size'",
    "cow=maybe, Parameter 'cow' expects 'on' or 'off'",
    "extent_size_hint_longer=x, Parameter 'extent_size_hint_longer' expects a number"
  })
  void refused(String text, String message) {
    assertEquals(
        message, assertThrows(OptionException.class, () -> SCHEMA.parse(text)).getMessage());
  }

  @Test
  void sizesComeWithAdvice() {
    assertNotNull(assertThrows(OptionException.class, () -> SCHEMA.parse("size=x")).hint());
  }

  @Test
  void helpIsSortedAndAligned() {
    assertEquals(
        List.of(
            "  cow=<bool (on/off)>    - Copy on write",
            "  extent_size_hint_longer=<num> - How many",
            "  mode=<str>             - How",
            "  size=<size>            - How large"),
        SCHEMA.help());
  }
}

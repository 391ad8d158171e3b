package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.base.Parsed;
import org.tinamou.base.SeededRandom;

final class JsonParserTest {
  static String message(String text) {
    return switch (JsonParser.parse(text)) {
      case Parsed.Value<Json>(Json _) -> null;
      case Parsed.Malformed<Json>(String _, String message) -> message;
    };
  }

  private static Json value(String text) {
    return switch (JsonParser.parse(text)) {
      case Parsed.Value<Json>(Json value) -> value;
      case Parsed.Malformed<Json>(String _, String message) -> fail(text + ": " + message);
    };
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          ``~Expecting a JSON value
          ` `~Expecting a JSON value
          {~JSON parse error, premature EOI
          {"a"~JSON parse error, premature EOI
          {"a":1}}~Expecting at most one JSON value
          {"a":1} 5~Expecting at most one JSON value
          {"a":1} @~Expecting at most one JSON value
          {"a":"x~JSON parse error, stray '"x'
          {"a":1]~JSON parse error, expected separator in dict
          {"a":[1}~JSON parse error, expected separator in list
          {"a":1,"a":2~JSON parse error, duplicate key
          {%s:1}~JSON parse error, stray '%'
          @ 1~JSON parse error, stray '@'
          ] 1~JSON parse error, expecting value
          nope 1~JSON parse error, invalid keyword 'nope'
          -~JSON parse error, stray '-'
          """)
  void messages(String text, String expected) {
    assertEquals(expected, message(text));
  }

  @Test
  void whatIsWrittenIsReadBack() {
    SeededRandom random = new SeededRandom(7);
    for (int i = 0; i < 3000; i++) {
      Json value = RandomJson.value(random, 5);
      String text = JsonWriter.compact(value);
      assertEquals(text, JsonWriter.compact(value(text)));
      assertEquals(text, JsonWriter.compact(value(JsonWriter.pretty(value))));
    }
  }

  /** No input makes the parser throw or hang. */
  @Test
  void anyTextHasAResult() {
    SeededRandom random = new SeededRandom(8);
    for (int i = 0; i < 5000; i++) {
      JsonParser.parse(RandomJson.soup(random));
    }
  }
}

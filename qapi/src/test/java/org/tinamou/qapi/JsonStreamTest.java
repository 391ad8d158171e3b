package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.base.Parsed;

/** Expected messages are those of qemu-storage-daemon 7.2. */
final class JsonStreamTest {
  private static final String VALUE = "JSON parse error, expecting value";

  private static String shown(Parsed<Json> result) {
    return switch (result) {
      case Parsed.Value<Json>(Json value) -> "= " + JsonWriter.compact(value);
      case Parsed.Malformed<Json>(String _, String message) -> message;
    };
  }

  private static List<String> read(byte[]... pieces) {
    List<String> results = new ArrayList<>();
    JsonStream stream = new JsonStream(result -> results.add(shown(result)));
    for (byte[] piece : pieces) {
      stream.feed(ByteBuffer.wrap(piece));
    }
    return results;
  }

  private static List<String> read(String latin1) {
    return read(latin1.getBytes(StandardCharsets.ISO_8859_1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          {'a': "it's"}~= {"a": "it's"}
          '\\''~= "'"
          "\\'\\"\\/\\\\\\b\\f\\n\\r\\t"~= "'\\"/\\\\\\b\\f\\n\\r\\t"
          [18446744073709551615]~= [18446744073709551615]
          [18446744073709551616]~= [1.8446744073709552e+19]
          [-9223372036854775808]~= [-9223372036854775808]
          [-9223372036854775809]~= [-9.2233720368547758e+18]
          [1e5,1.0,0.1,-0,-0.0,1e20,1e16,1e17,1e-5,1e-4,1e-400]~= [100000, 1, 0.10000000000000001, \
          0, -0, 1e+20, 10000000000000000, 1e+17, 1.0000000000000001e-05, 0.0001, 0]
          [123456789012345678901234567890]~= [1.2345678901234568e+29]
          [1e400,-1e400]~= [1.7976931348623157e+308, -1.7976931348623157e+308]
          "\\u0000\\u00e9\\ud83d\\ude00\\ufdcf"~= "\\u0000\\u00E9\\uD83D\\uDE00\\uFDCF"
          "%d"~= "%d"
          [{},[],null,true,false]~= [{}, [], null, true, false]
          """)
  void values(String text, String expected) {
    assertEquals(List.of(expected), read(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          {"a":"b",}~expecting value
          {execute:"nope"}~invalid keyword 'execute'
          {"a":nope}~invalid keyword 'nope'
          {"a":truex}~invalid keyword 'truex'
          {"a":true1}~expected separator in dict
          {"a":1,"a":1}~duplicate key
          {"b":{"a":1,"a":2}}~duplicate key
          {"b":1,"b":nope}~invalid keyword 'nope'
          {"b":1,"b" 5}~missing : in object pair
          {"a":1.}~stray '1.}'
          {"a":-}~stray '-}'
          {"a":1e+}~stray '1e+}'
          {"a":0x10}~expected separator in dict
          "\\ud800"~\\ud800 is not a valid Unicode character
          "\\udc00\\ud800"~\\udc00 is not a valid Unicode character
          "\\uD83D\\u0041"~\\uD83D is not a valid Unicode character
          "\\ud83f\\udffe"~\\ud83f\\udffe is not a valid Unicode character
          "\\ud83d\\u00"~\\ud83d is not a valid Unicode character
          "\\ufffe"~\\ufffe is not a valid Unicode character
          "\\ufdd0"~\\ufdd0 is not a valid Unicode character
          "\\u12"~\\u12" is not a valid Unicode character
          "\\u"~\\u" is not a valid Unicode character
          "\\u00GG"~\\u00GG is not a valid Unicode character
          "\\x"~invalid escape sequence in string
          {"a" "b"}~missing : in object pair
          {"a"}~missing : in object pair
          {"a":}~expecting value
          {5:1}~key is not a string in object
          {[]:1}~key is not a string in object
          {[nope]:1}~invalid keyword 'nope'
          {nul}~invalid keyword 'nul'
          {:1}~expecting value
          {,}~expecting value
          [1,]~expecting value
          [1 2]~expected separator in list
          {"a":1 nope}~expected separator in dict
          ]~expecting value
          :~expecting value
          @~stray '@'
          N~stray 'N'
          {"a":1]~expected separator in dict
          [}~expecting value
          {"a":[}~
          """)
  void errors(String text, String expected) {
    assertEquals(
        expected == null ? List.of() : List.of("JSON parse error, " + expected), read(text));
  }

  @Test
  void bytesThatAreNoText() {
    String bad = "JSON parse error, invalid UTF-8 sequence in string";
    for (String text :
        List.of(
            "\u0080",
            "\u00c3",
            "\u00c1\u0080",
            "\u00e2\u0082",
            "\u00e0\u0080\u0080",
            "\u00ed\u00a0\u0080",
            "\u00ef\u00b7\u0090",
            "\u00ef\u00bf\u00bf",
            "\u00f0\u0080\u0080\u0080",
            "\u00f0\u009f\u00bf\u00be",
            "\u00f4\u0090\u0080\u0080",
            "\u00f8\u0088\u0080\u0080\u0080")) {
      assertEquals(List.of(bad), read("\"" + text + "\""), text);
    }
    assertEquals(List.of("= \"\\u0000\""), read("\"\u00c0\u0080\""));
    assertEquals(List.of("= \"\\u007F\""), read("\"\u007f\""));
    assertEquals(List.of("JSON parse error, stray '\"a\n'"), read("\"a\nb"));
    assertEquals(List.of("JSON parse error, stray '\"a'"), read("\"a\0b"));
    assertEquals(List.of("JSON parse error, stray '\"\\\n'"), read("\"\\\n"));
    assertEquals(List.of("JSON parse error, stray '\"\ufffd'"), read("\"\u00fe"));
    assertEquals(List.of("JSON parse error, stray '\ufffd'"), read("\u00ff"));
  }

  @Test
  void readingGoesOnBehindAnError() {
    String at = "JSON parse error, stray '@'";
    assertEquals(List.of(at), read("@abc;5 \"x\" \t 5 "));
    assertEquals(List.of(at, VALUE, "= 5"), read("@abc,5 "));
    assertEquals(List.of(at, "= 5"), read("@abc\n5 "));
    assertEquals(List.of(at, "JSON parse error, stray '\u0001'"), read("@ab\u0001 5 "));
    assertEquals(List.of(at, VALUE, "= 3", VALUE), read("[1,@ 2, 3] "));
    assertEquals(List.of("JSON parse error, stray '01'", VALUE), read("{\"a\":01}"));
    assertEquals(List.of("JSON parse error, stray '-I'", VALUE), read("{\"a\":-Infinity}"));
    assertEquals(List.of("JSON parse error, stray '1.x'", "= {}"), read("1.x{}"));
    assertEquals(List.of("JSON parse error, stray '\ufffd'", "= {}"), read("{\"a\":\u00ff{}"));
    assertEquals(List.of(VALUE, VALUE), read("[[}]"));
    assertEquals(List.of("= {}", VALUE), read("{}}"));
    assertEquals(List.of("= 5", VALUE), read("5,"));
    assertEquals(List.of("= 5", "= \"x\"", "= {}", "= []"), read("5\"x\"{}[]"));
  }

  @Test
  void itDoesNotMatterHowTheBytesArrive() {
    byte[] text =
        "{'a':[1,2.5e-3,\"\u00c3\u00a9\\ud83d\\ude00\"]} nul 12 @x\n{\"b\":tru}]"
            .getBytes(StandardCharsets.ISO_8859_1);
    List<String> whole = read(text);
    assertEquals(6, whole.size(), whole::toString);
    for (int cut = 0; cut <= text.length; cut++) {
      assertEquals(
          whole,
          read(
              java.util.Arrays.copyOf(text, cut),
              java.util.Arrays.copyOfRange(text, cut, text.length)));
    }
  }

  @Test
  void depthIsLimited() {
    String limit = "JSON nesting depth limit exceeded";
    assertEquals(1, read("[".repeat(1024) + "]".repeat(1024)).size());
    List<String> array = read("[".repeat(1025) + "]".repeat(1025));
    assertEquals(limit, array.getFirst());
    assertEquals(1026, array.size());
    List<String> object = read("{\"a\":".repeat(1025) + "1" + "}".repeat(1025));
    assertEquals(List.of(limit, "= \"a\"", VALUE, "= 1", VALUE), object.subList(0, 5));
    assertEquals(1029, object.size());
    List<String> mixed = read("[{\"a\":".repeat(513) + "1" + "}]".repeat(513));
    assertEquals(List.of(limit, "= {\"a\": 1}", VALUE), mixed.subList(0, 3));
  }

  @Test
  void tokensAreCounted() {
    String limit = "JSON token count limit exceeded";
    int most = 2 << 20;
    String ones = "1,".repeat((most - 6) / 2);
    List<String> allowed = read("[[]," + ones + "1]");
    assertEquals(1, allowed.size());
    assertEquals("= [[], 1, 1", allowed.getFirst().substring(0, 11));
    assertEquals(List.of(limit), read("[" + "1,".repeat((most - 2) / 2) + "1]"));
    assertEquals(
        List.of(limit, "= 1", VALUE, "= 1", VALUE, "= 5", VALUE),
        read("[" + "1,".repeat(most / 2) + "1,1,5 ]"));
  }

  @Test
  void tokensAreMeasured() {
    String limit = "JSON token size limit exceeded";
    List<String> results = new ArrayList<>();
    JsonStream stream = new JsonStream(result -> results.add(shown(result)));
    byte[] part = "a".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII);
    byte[] quote = {'"'};
    stream.feed(quote, 0, 1);
    for (int i = 0; i < 65; i++) {
      stream.feed(part, 0, part.length);
    }
    assertEquals(List.of(limit), results);
    stream.feed(new byte[] {'"', '\n', '['}, 0, 3);
    for (int i = 0; i < 65; i++) {
      stream.feed(quote, 0, 1);
      stream.feed(part, 0, part.length);
      stream.feed(new byte[] {'"', ','}, 0, 2);
    }
    assertEquals(List.of(limit, limit), results.subList(0, 2), "several tokens of one value");
  }

  @Test
  void theEndOfInputCompletesOrStrays() {
    List<String> results = new ArrayList<>();
    JsonStream stream = new JsonStream(result -> results.add(shown(result)));
    for (String text : List.of("12", "tru", "{", "{\"a\":nope", "\"x", "1.", "", "@x")) {
      byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
      stream.feed(bytes, 0, bytes.length);
      stream.finish();
      results.add("|");
    }
    String error = "JSON parse error, ";
    assertEquals(
        List.of(
            "= 12",
            "|",
            error + "invalid keyword 'tru'",
            "|",
            error + "premature EOI",
            "|",
            error + "invalid keyword 'nope'",
            "|",
            error + "stray '\"x'",
            "|",
            error + "stray '1.'",
            "|",
            "|",
            error + "stray '@'",
            "|"),
        results);
  }
}

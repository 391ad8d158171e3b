package org.tinamou.tools.getopt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionScannerTest {
  private static final List<LongOption> LONG =
      List.of(
          LongOption.flag("help", 'h'),
          LongOption.flag("nocache", 'n'),
          LongOption.flag("native-aio", 'k'),
          LongOption.withValue("cmd", 'c'),
          LongOption.withValue("cache", 't'),
          LongOption.withValue("cachet", 't'),
          new LongOption("maybe", LongOption.Argument.OPTIONAL, 300, true));

  private final ByteArrayOutputStream messages = new ByteArrayOutputStream();

  /** What the scanner makes of the words, e.g. "h c=x | operands". */
  private String scan(String letters, boolean posixlyCorrect, String... words) {
    OptionScanner scanner =
        new OptionScanner(
            "prog",
            List.of(words),
            letters,
            LONG,
            new PrintStream(messages, true, StandardCharsets.UTF_8),
            posixlyCorrect);
    StringBuilder seen = new StringBuilder();
    for (int code = scanner.next(); code != OptionScanner.END; code = scanner.next()) {
      seen.append(code > 255 ? Integer.toString(code) : (char) code + "");
      if (code == OptionScanner.MISSING_VALUE) {
        seen.append('(').append(scanner.lastWord("prog")).append(')');
      }
      if (scanner.valueOrNull() != null) {
        seen.append('=').append(scanner.value());
      }
      seen.append(' ');
    }
    return seen + "| " + String.join(" ", scanner.operands());
  }

  @ParameterizedTest
  @CsvSource({
    "a b, '| a b'",
    "-h a -n b, 'h n | a b'",
    "a -cx b -c y c, 'c=x c=y | a b c'",
    "-hnc x, 'h n c=x | '",
    "-hncx, 'h n c=x | '",
    "a -- -h b, '| a -h b'",
    "a -h -- -n, 'h | a -n'",
    "- -h, 'h | -'",
    "--help a, 'h | a'",
    "--he a, 'h | a'",
    "--cmd=x=y, 'c=x=y | '",
    "--cmd x, 'c=x | '",
    "--cmd= x, 'c= | x'",
    "--cache x, 't=x | '",
    "--cac x, 't=x | '",
    "--maybe x, '300 | x'",
    "--maybe=x, '300=x | '",
    "-oxy -o, 'o=xy o | '"
  })
  void accepted(String words, String expected) {
    assertEquals(expected, scan("hnc:o::", false, words.split(" ")));
    assertEquals("", messages.toString(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @CsvSource({
    "-z, invalid option -- 'z'",
    "-:, invalid option -- ':'",
    "-c, option requires an argument -- 'c'",
    "--nope, unrecognized option '--nope'",
    "--nope=x, unrecognized option '--nope=x'",
    "--cmd, option '--cmd' requires an argument",
    "--cm, option '--cmd' requires an argument",
    "--help=1, option '--help' doesn't allow an argument",
    "--he=1, option '--help' doesn't allow an argument",
    "--n=1, option '--n=1' is ambiguous; possibilities: '--nocache' '--native-aio'"
  })
  void complaints(String word, String message) {
    assertEquals("? | ", scan("hc:", false, word));
    assertEquals("prog: " + message + "\n", messages.toString(StandardCharsets.UTF_8));
  }

  @Test
  void colonMakesItQuiet() {
    assertEquals("? :(-c) | a", scan(":c:", false, "-z", "a", "-c"));
    assertEquals("", messages.toString(StandardCharsets.UTF_8));
  }

  @Test
  void stopsAtTheFirstOperand() {
    assertEquals("h | a -n", scan("+hn", false, "-h", "a", "-n"));
    assertEquals("h | a -n", scan("hn", true, "-h", "a", "-n"));
    assertEquals("h | a -n", scan("+hn", false, "-h", "--", "a", "-n"));
  }

  @Test
  void quotedWordOfAnErrorInABundleIsTheOneBefore() {
    OptionScanner scanner =
        new OptionScanner("prog", List.of("-zq"), ":q", LONG, System.err, false);
    scanner.next();
    assertEquals("prog", scanner.lastWord("prog"));
  }
}

package org.tinamou.qapi;

import org.tinamou.base.SeededRandom;

/** Random values, and random texts that look like JSON without always being it. */
final class RandomJson {
  private static final String[] PIECES = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "'b'",
    "\"a\":",
    "1",
    "-",
    "0",
    "1.5",
    "e5",
    "true",
    "nul",
    "null",
    " ",
    "\t",
    "@",
    "\"",
    "\\u12",
    "\"\\u00e9\"",
    "\"\\ud800\"",
    "{\"a\":1}",
    "[]",
    "\"\\x\"",
    "12345678901234567890123",
    "x",
    ".",
    "+",
    "'",
    "\\",
    "\u00e9"
  };
  private static final String CHARACTERS = "ab,\"'\\/\n\t\u0000\u007f\u00e9\u20ac\uffff";

  private RandomJson() {}

  static Json value(SeededRandom random, int depth) {
    return switch (random.nextInt(depth == 0 ? 6 : 9)) {
      case 0 -> new Json.Null();
      case 1 -> new Json.Bool(random.nextBoolean());
      case 2 -> new Json.Whole(random.nextLong() >> random.nextInt(64));
      case 3 -> new Json.Unsigned(random.nextLong() | Long.MIN_VALUE);
      case 4 -> real(random);
      case 5 -> new Json.Text(text(random));
      case 6, 7 -> {
        Json.Array array = new Json.Array();
        for (int i = random.nextInt(5); i > 0; i--) {
          array.add(value(random, depth - 1));
        }
        yield array;
      }
      default -> {
        Json.Members members = new Json.Members();
        for (int i = random.nextInt(5); i > 0; i--) {
          members.put(text(random), value(random, depth - 1));
        }
        yield members;
      }
    };
  }

  private static Json real(SeededRandom random) {
    double value = Double.longBitsToDouble(random.nextLong());
    // A number without fraction is read back as a whole one, which is written alike.
    return new Json.Real(Double.isFinite(value) && value != 0 ? value : 0.5);
  }

  static String text(SeededRandom random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(8); i > 0; i--) {
      char next = CHARACTERS.charAt(random.nextInt(CHARACTERS.length()));
      if (next == '\uffff') {
        text.appendCodePoint(0x1f600);
      } else {
        text.append(next);
      }
    }
    return text.toString();
  }

  static String soup(SeededRandom random) {
    StringBuilder text = new StringBuilder();
    for (int i = 1 + random.nextInt(9); i > 0; i--) {
      text.append(PIECES[random.nextInt(PIECES.length)]);
    }
    return text.toString();
  }
}

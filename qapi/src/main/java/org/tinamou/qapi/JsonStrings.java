package org.tinamou.qapi;

import java.nio.charset.StandardCharsets;

/** Turns the bytes of a string token into its text. */
final class JsonStrings {
  /** Why a string is none; the message is for the user. */
  static final class BadString extends Exception {
    private static final long serialVersionUID = 1L;

    BadString(String message) {
      super(message, null, false, false);
    }
  }

  private final byte[] token;
  private final int end;
  private final StringBuilder text = new StringBuilder();
  private int position = 1;

  private JsonStrings(byte[] token, int length) {
    this.token = token;
    this.end = length - 1;
  }

  /**
   * Decodes a token.
   *
   * @param token a string with its quotes; what the lexer lets through
   */
  static String decode(byte[] token, int length) throws BadString {
    JsonStrings decoder = new JsonStrings(token, length);
    while (decoder.position < decoder.end) {
      decoder.character();
    }
    return decoder.text.toString();
  }

  private void character() throws BadString {
    byte next = token[position];
    if (next == '\\') {
      escape(position);
    } else if (next >= 0) {
      text.append((char) next);
      position++;
    } else {
      utf8();
    }
  }

  private void escape(int start) throws BadString {
    position = start + 2;
    switch (token[start + 1]) {
      case '"' -> text.append('"');
      case '\'' -> text.append('\'');
      case '\\' -> text.append('\\');
      case '/' -> text.append('/');
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case 'n' -> text.append('\n');
      case 'r' -> text.append('\r');
      case 't' -> text.append('\t');
      case 'u' -> unicode(start);
      default -> throw new BadString("invalid escape sequence in string");
    }
  }

  private void unicode(int start) throws BadString {
    int unit = hexadecimal(position);
    position += 4;
    if (unit >= Character.MIN_HIGH_SURROGATE && unit <= Character.MAX_HIGH_SURROGATE) {
      boolean another = position + 1 < end && token[position] == '\\' && token[position + 1] == 'u';
      int low = another ? hexadecimal(position + 2) : -1;
      if (low >= Character.MIN_LOW_SURROGATE && low <= Character.MAX_LOW_SURROGATE) {
        unit = Character.toCodePoint((char) unit, (char) low);
        position += 6;
      }
    }
    if (unit < 0 || !isCharacter(unit)) {
      int shown = Math.min(Math.min(position, end + 1) - start, token.length - start);
      throw new BadString(
          new String(token, start, shown, StandardCharsets.UTF_8)
              + " is not a valid Unicode character");
    }
    text.appendCodePoint(unit);
  }

  /** Four hexadecimal digits, or -1. */
  private int hexadecimal(int start) {
    int value = 0;
    for (int i = start; i < start + 4; i++) {
      int digit = i < end ? Character.digit(token[i], 16) : -1;
      if (digit < 0) {
        return -1;
      }
      value = value << 4 | digit;
    }
    return value;
  }

  private void utf8() throws BadString {
    int first = token[position] & 0xff;
    int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    int least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
    int point = first & (0x3f >> more);
    boolean valid = first >= 0xc0 && first < 0xf8 && position + more < end;
    for (int i = 1; valid && i <= more; i++) {
      int next = token[position + i] & 0xff;
      valid = (next & 0xc0) == 0x80;
      point = point << 6 | (next & 0x3f);
    }
    // A NUL in two bytes is how programs pass one through C strings.
    boolean longNul = point == 0 && more == 1;
    if (!valid || (point < least && !longNul) || !isCharacter(point)) {
      throw new BadString("invalid UTF-8 sequence in string");
    }
    text.appendCodePoint(point);
    position += more + 1;
  }

  private static boolean isCharacter(int point) {
    return point <= Character.MAX_CODE_POINT
        && !(point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE)
        && !(point >= 0xfdd0 && point <= 0xfdef)
        && (point & 0xfffe) != 0xfffe;
  }
}

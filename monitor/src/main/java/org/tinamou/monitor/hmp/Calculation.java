package org.tinamou.monitor.hmp;

/** A number written as a calculation, from a point of a line on. */
final class Calculation {
  private static final int MAX_DEPTH = 100;

  private final String line;
  private int at;
  private int depth;

  Calculation(String line, int at) {
    this.line = line;
    this.at = at;
  }

  long value() throws BadLine {
    skipBlanks();
    return sum();
  }

  /** Where the calculation ends, blanks behind it included. */
  int end() {
    return at;
  }

  private char peek() {
    return at < line.length() ? line.charAt(at) : '\0';
  }

  private void skipBlanks() {
    while (peek() == ' ' || peek() == '\t') {
      at++;
    }
  }

  private char take() {
    char taken = line.charAt(at++);
    skipBlanks();
    return taken;
  }

  private long sum() throws BadLine {
    long value = bits();
    while (peek() == '+' || peek() == '-') {
      value = take() == '+' ? value + bits() : value - bits();
    }
    return value;
  }

  private long bits() throws BadLine {
    long value = product();
    while (peek() == '&' || peek() == '|' || peek() == '^') {
      value =
          switch (take()) {
            case '&' -> value & product();
            case '|' -> value | product();
            default -> value ^ product();
          };
    }
    return value;
  }

  private long product() throws BadLine {
    long value = single();
    while (peek() == '*' || peek() == '/' || peek() == '%') {
      char operator = take();
      long next = single();
      if (operator == '*') {
        value *= next;
      } else if (next == 0) {
        throw new BadLine("division by zero");
      } else {
        value = operator == '/' ? value / next : value % next;
      }
    }
    return value;
  }

  private long single() throws BadLine {
    if (++depth > MAX_DEPTH) {
      throw new BadLine("expression too deep");
    }
    try {
      switch (peek()) {
        case '\0' -> throw new BadLine("unexpected end of expression");
        case '+' -> {
          take();
          return single();
        }
        case '-' -> {
          take();
          return -single();
        }
        case '~' -> {
          take();
          return ~single();
        }
        case '(' -> {
          take();
          long value = sum();
          if (peek() != ')') {
            throw new BadLine("')' expected");
          }
          take();
          return value;
        }
        default -> {
          return number();
        }
      }
    } finally {
      depth--;
    }
  }

  private long number() throws BadLine {
    int start = at;
    int radix = 10;
    if (line.startsWith("0x", at) || line.startsWith("0X", at)) {
      radix = 16;
      at += 2;
    } else if (peek() == '0') {
      radix = 8;
    }
    int digits = at;
    while (Character.digit(peek(), radix) >= 0) {
      at++;
    }
    if (at == digits) {
      at = start;
      throw new BadLine("invalid char '" + peek() + "' in expression");
    }
    try {
      return Long.parseUnsignedLong(line, digits, at, radix);
    } catch (NumberFormatException e) {
      throw new BadLine("number too large");
    } finally {
      skipBlanks();
    }
  }
}

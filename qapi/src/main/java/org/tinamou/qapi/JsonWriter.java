package org.tinamou.qapi;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Iterator;
import java.util.Map;

/**
 * Writes JSON in pure ASCII, either on one line or indented by four blanks. Not thread-safe: one
 * value a writer.
 */
public final class JsonWriter {
  private static final String INDENT = "    ";

  private final StringBuilder out = new StringBuilder();
  private final boolean pretty;

  private JsonWriter(boolean pretty) {
    this.pretty = pretty;
  }

  /** On one line, with a blank behind each comma and colon. */
  public static String compact(Json value) {
    return write(value, false);
  }

  /** One member or element a line. */
  public static String pretty(Json value) {
    return write(value, true);
  }

  private static String write(Json value, boolean pretty) {
    JsonWriter writer = new JsonWriter(pretty);
    writer.value(value, 0);
    return writer.out.toString();
  }

  private void value(Json value, int depth) {
    // No switch over types: linking one takes longer than all that short commands write.
    if (value instanceof Json.Members members) {
      members(members, depth);
    } else if (value instanceof Json.Array array) {
      array(array, depth);
    } else if (value instanceof Json.Text text) {
      string(text.value());
    } else if (value instanceof Json.Real real) {
      real(real.value());
    } else {
      out.append(((Json.Scalar) value).text());
    }
  }

  /** As C's {@code %.17g}. */
  private void real(double value) {
    if (value == 0) {
      out.append(1 / value < 0 ? "-0" : "0");
      return;
    }
    BigDecimal exact = new BigDecimal(value);
    BigDecimal rounded =
        exact.round(new MathContext(17, RoundingMode.HALF_EVEN)).stripTrailingZeros();
    int exponent = rounded.precision() - rounded.scale() - 1;
    if (exponent >= -4 && exponent < 17) {
      out.append(rounded.toPlainString());
    } else {
      out.append(rounded.scaleByPowerOfTen(-exponent).toPlainString());
      out.append(exponent < 0 ? "e-" : "e+").append(Math.abs(exponent) < 10 ? "0" : "");
      out.append(Math.abs(exponent));
    }
  }

  private void array(Json.Array array, int depth) {
    out.append('[');
    boolean first = true;
    for (Json element : array.elements()) {
      separate(first, depth + 1);
      value(element, depth + 1);
      first = false;
    }
    close(first, depth, ']');
  }

  private void members(Json.Members object, int depth) {
    out.append('{');
    boolean first = true;
    Iterator<Map.Entry<String, Json>> members = object.members().entrySet().iterator();
    while (members.hasNext()) {
      Map.Entry<String, Json> member = members.next();
      separate(first, depth + 1);
      string(member.getKey());
      out.append(": ");
      value(member.getValue(), depth + 1);
      first = false;
    }
    close(first, depth, '}');
  }

  private void separate(boolean first, int depth) {
    if (!first) {
      out.append(pretty ? "," : ", ");
    }
    newLine(depth);
  }

  private void close(boolean empty, int depth, char bracket) {
    if (!empty || pretty) {
      newLine(depth);
    }
    out.append(bracket);
  }

  private void newLine(int depth) {
    if (pretty) {
      out.append('\n').repeat(INDENT, depth);
    }
  }

  private void string(String text) {
    out.append('"');
    for (int index = 0; index < text.length(); index++) {
      char character = text.charAt(index);
      switch (character) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (character < 0x20 || character >= 0x7f) {
            out.append("\\u");
            for (int shift = 12; shift >= 0; shift -= 4) {
              out.append(Character.toUpperCase(Character.forDigit((character >> shift) & 0xf, 16)));
            }
          } else {
            out.append(character);
          }
        }
      }
    }
    out.append('"');
  }
}

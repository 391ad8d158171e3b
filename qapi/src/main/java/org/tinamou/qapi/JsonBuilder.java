package org.tinamou.qapi;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Builds one value from its tokens; keeps the first thing that is wrong with them. */
final class JsonBuilder {
  private enum Expected {
    /** The first member or the end of an object. */
    KEY_OR_END,
    KEY,
    COLON,
    /** The first element or the end of an array. */
    VALUE_OR_END,
    VALUE,
    SEPARATOR
  }

  private static final BigInteger LONG_MIN = BigInteger.valueOf(Long.MIN_VALUE);

  /** An object or array that is still open. */
  private static final class Open {
    final Json container;
    Expected expected;
    String key = "";

    Open(Json container, Expected expected) {
      this.container = container;
      this.expected = expected;
    }
  }

  private final Deque<Open> open = new ArrayDeque<>();
  private @Nullable Json value;
  private @Nullable String error;

  /** Whether the tokens so far are a whole value. */
  @Nullable Json valueOrNull() {
    return error == null ? value : null;
  }

  /** What is wrong, or null. */
  @Nullable String errorOrNull() {
    return error;
  }

  void token(JsonLexer.Kind kind, byte[] bytes, int length) {
    if (error != null) {
      return;
    }
    Open top = open.peek();
    switch (top == null ? Expected.VALUE : top.expected) {
      case KEY_OR_END, VALUE_OR_END -> {
        if (kind == endOf(Objects.requireNonNull(top))) {
          close();
        } else {
          value(kind, bytes, length);
        }
      }
      case KEY, VALUE -> value(kind, bytes, length);
      case COLON -> {
        if (kind == JsonLexer.Kind.COLON) {
          Objects.requireNonNull(top).expected = Expected.VALUE;
        } else {
          fail("missing : in object pair");
        }
      }
      case SEPARATOR -> separator(Objects.requireNonNull(top), kind);
    }
  }

  private static JsonLexer.Kind endOf(Open container) {
    return isObject(container) ? JsonLexer.Kind.CLOSE_OBJECT : JsonLexer.Kind.CLOSE_ARRAY;
  }

  private static boolean isObject(Open container) {
    return container.container instanceof Json.Members;
  }

  private void separator(Open top, JsonLexer.Kind kind) {
    if (kind == JsonLexer.Kind.COMMA) {
      top.expected = isObject(top) ? Expected.KEY : Expected.VALUE;
    } else if (kind == endOf(top)) {
      close();
    } else {
      fail("expected separator in " + (isObject(top) ? "dict" : "list"));
    }
  }

  private void close() {
    deliver(open.pop().container);
  }

  private void value(JsonLexer.Kind kind, byte[] bytes, int length) {
    switch (kind) {
      case OPEN_OBJECT -> open.push(new Open(new Json.Members(), Expected.KEY_OR_END));
      case OPEN_ARRAY -> open.push(new Open(new Json.Array(), Expected.VALUE_OR_END));
      case INTEGER -> deliver(integer(ascii(bytes, length)));
      case REAL -> deliver(real(ascii(bytes, length)));
      case KEYWORD -> keyword(ascii(bytes, length));
      case STRING -> {
        try {
          deliver(new Json.Text(JsonStrings.decode(bytes, length)));
        } catch (JsonStrings.BadString e) {
          fail(String.valueOf(e.getMessage()));
        }
      }
      case CLOSE_OBJECT, CLOSE_ARRAY, COMMA, COLON, STRAY, TOO_LONG -> fail("expecting value");
    }
  }

  private static String ascii(byte[] bytes, int length) {
    return new String(bytes, 0, length, StandardCharsets.US_ASCII);
  }

  private void keyword(String word) {
    switch (word) {
      case "null" -> deliver(new Json.Null());
      case "true" -> deliver(new Json.Bool(true));
      case "false" -> deliver(new Json.Bool(false));
      default -> fail("invalid keyword '" + word + "'");
    }
  }

  private static Json integer(String digits) {
    if (digits.length() <= 18) {
      return new Json.Whole(Long.parseLong(digits));
    }
    // Longer numbers cannot be exact; their conversion must not take time with their length
    // squared.
    if (digits.length() > 20) {
      return real(digits);
    }
    BigInteger number = new BigInteger(digits);
    if (number.bitLength() < Long.SIZE) {
      return new Json.Whole(number.longValue());
    }
    if (number.signum() > 0 && number.bitLength() == Long.SIZE) {
      return new Json.Unsigned(number.longValue());
    }
    return number.equals(LONG_MIN) ? new Json.Whole(Long.MIN_VALUE) : real(digits);
  }

  /** A number beyond the range of doubles becomes the last one of its sign. */
  private static Json real(String number) {
    double exact = Double.parseDouble(number);
    return new Json.Real(Math.clamp(exact, -Double.MAX_VALUE, Double.MAX_VALUE));
  }

  private void deliver(Json complete) {
    Open top = open.peek();
    if (top == null) {
      value = complete;
    } else if (top.container instanceof Json.Array array) {
      array.add(complete);
      top.expected = Expected.SEPARATOR;
    } else if (top.expected == Expected.VALUE) {
      Json.Members members = (Json.Members) top.container;
      if (members.members().containsKey(top.key)) {
        fail("duplicate key");
      } else {
        members.put(top.key, complete);
        top.expected = Expected.SEPARATOR;
      }
    } else if (complete instanceof Json.Text(String key)) {
      top.key = key;
      top.expected = Expected.COLON;
    } else {
      fail("key is not a string in object");
    }
  }

  private void fail(String message) {
    error = message;
    open.clear();
  }
}

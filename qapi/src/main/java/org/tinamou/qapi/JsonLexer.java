package org.tinamou.qapi;

import java.util.Arrays;

/**
 * Cuts bytes into JSON tokens, whatever pieces they arrive in. Besides JSON it takes strings in
 * single quotes. After a byte that cannot be there it skips to the next bracket, comma, colon or
 * line end.
 */
final class JsonLexer {
  /** What a token is. */
  enum Kind {
    OPEN_OBJECT,
    CLOSE_OBJECT,
    OPEN_ARRAY,
    CLOSE_ARRAY,
    COMMA,
    COLON,
    INTEGER,
    REAL,
    KEYWORD,
    STRING,
    /** Bytes that are no token, the last of them being one that cannot follow. */
    STRAY,
    /** A token that grew too long; its bytes are gone. */
    TOO_LONG
  }

  /** Receives tokens. */
  @FunctionalInterface
  interface Sink {
    /**
     * @param bytes the lexer's own buffer, to be read before the method returns
     * @param length how many of them belong to the token
     */
    void token(Kind kind, byte[] bytes, int length);
  }

  private enum State {
    START,
    NEGATIVE,
    ZERO,
    DIGITS,
    POINT,
    FRACTION,
    EXPONENT,
    EXPONENT_SIGN,
    EXPONENT_DIGITS,
    KEYWORD,
    STRING,
    ESCAPE,
    RECOVERY
  }

  private final Sink sink;
  private final int maxTokenBytes;
  private byte[] buffer = new byte[64];
  private int length;
  private int quote;
  private State state = State.START;

  JsonLexer(int maxTokenBytes, Sink sink) {
    this.maxTokenBytes = maxTokenBytes;
    this.sink = sink;
  }

  /** Takes bytes; the inside of strings in one go. */
  void feed(byte[] bytes, int offset, int count) {
    int end = offset + count;
    int position = offset;
    while (position < end) {
      int run = state == State.STRING ? ordinary(bytes, position, end) : 0;
      if (run > 0) {
        ensureRoom(run);
        System.arraycopy(bytes, position, buffer, length, run);
        length += run;
        position += run;
      } else {
        feed(bytes[position++] & 0xff);
      }
    }
  }

  /** How many bytes from the position on go on with a string, within the token's limit. */
  private int ordinary(byte[] bytes, int position, int end) {
    int last = Math.min(end, position + maxTokenBytes - length);
    int next = position;
    while (next < last
        && bytes[next] != quote
        && bytes[next] != '\\'
        && !endsEverything(bytes[next] & 0xff)) {
      next++;
    }
    return next - position;
  }

  private void feed(int unsignedByte) {
    switch (state) {
      case START -> start(unsignedByte);
      case RECOVERY -> recover(unsignedByte);
      case STRING -> string(unsignedByte);
      case ESCAPE -> goOn(State.STRING, unsignedByte, !endsEverything(unsignedByte));
      case KEYWORD -> {
        if (isLetter(unsignedByte)) {
          goOn(State.KEYWORD, unsignedByte, true);
        } else {
          endBefore(Kind.KEYWORD, unsignedByte);
        }
      }
      default -> number(unsignedByte);
    }
  }

  /** The input has ended: what has begun is a token or stray. */
  void finish() {
    switch (state) {
      case START, RECOVERY -> {}
      case ZERO, DIGITS -> emit(Kind.INTEGER);
      case FRACTION, EXPONENT_DIGITS -> emit(Kind.REAL);
      case KEYWORD -> emit(Kind.KEYWORD);
      default -> emit(Kind.STRAY);
    }
    state = State.START;
  }

  private void start(int next) {
    switch (next) {
      case ' ', '\t', '\r', '\n' -> {}
      case '{' -> single(Kind.OPEN_OBJECT, next);
      case '}' -> single(Kind.CLOSE_OBJECT, next);
      case '[' -> single(Kind.OPEN_ARRAY, next);
      case ']' -> single(Kind.CLOSE_ARRAY, next);
      case ',' -> single(Kind.COMMA, next);
      case ':' -> single(Kind.COLON, next);
      case '"', '\'' -> {
        quote = next;
        goOn(State.STRING, next, true);
      }
      case '-' -> goOn(State.NEGATIVE, next, true);
      case '0' -> goOn(State.ZERO, next, true);
      default -> {
        boolean digit = isDigit(next);
        goOn(digit ? State.DIGITS : State.KEYWORD, next, digit || isLetter(next));
      }
    }
  }

  private void single(Kind kind, int next) {
    append(next);
    emit(kind);
  }

  private void recover(int next) {
    switch (next) {
      case '\n', '\r', '{', '}', '[', ']', ',', ':' -> {
        state = State.START;
        start(next);
      }
      default -> {
        if (next != '\t' && endsEverything(next)) {
          goOn(State.RECOVERY, next, false);
        }
      }
    }
  }

  private void string(int next) {
    if (next == quote) {
      append(next);
      emit(Kind.STRING);
    } else {
      goOn(next == '\\' ? State.ESCAPE : State.STRING, next, !endsEverything(next));
    }
  }

  private void number(int next) {
    boolean digit = isDigit(next);
    boolean exponent = (next | 0x20) == 'e';
    switch (state) {
      case NEGATIVE -> goOn(next == '0' ? State.ZERO : State.DIGITS, next, digit);
      case POINT -> goOn(State.FRACTION, next, digit);
      case EXPONENT -> {
        boolean sign = next == '+' || next == '-';
        goOn(sign ? State.EXPONENT_SIGN : State.EXPONENT_DIGITS, next, sign || digit);
      }
      case EXPONENT_SIGN -> goOn(State.EXPONENT_DIGITS, next, digit);
      case ZERO, DIGITS -> {
        if (digit) {
          goOn(State.DIGITS, next, state == State.DIGITS);
        } else if (next == '.' || exponent) {
          goOn(exponent ? State.EXPONENT : State.POINT, next, true);
        } else {
          endBefore(Kind.INTEGER, next);
        }
      }
      default -> {
        if (digit || (exponent && state == State.FRACTION)) {
          goOn(exponent ? State.EXPONENT : state, next, true);
        } else {
          endBefore(Kind.REAL, next);
        }
      }
    }
  }

  /** Takes the byte and goes on in a state, or reports what there is as stray. */
  private void goOn(State following, int next, boolean allowed) {
    append(next);
    if (!allowed) {
      emit(Kind.STRAY);
    } else if (length > maxTokenBytes) {
      emit(Kind.TOO_LONG);
    } else {
      state = following;
    }
  }

  /** The byte shows that the token has ended before it. */
  private void endBefore(Kind kind, int next) {
    emit(kind);
    start(next);
  }

  private void append(int next) {
    ensureRoom(1);
    buffer[length++] = (byte) next;
  }

  private void ensureRoom(int more) {
    if (buffer.length - length < more) {
      buffer = Arrays.copyOf(buffer, Math.max(length + more, buffer.length * 2));
    }
  }

  private void emit(Kind kind) {
    int emitted = length;
    length = 0;
    state = kind == Kind.STRAY || kind == Kind.TOO_LONG ? State.RECOVERY : State.START;
    sink.token(kind, buffer, kind == Kind.TOO_LONG ? 0 : emitted);
    if (buffer.length > 1 << 16) {
      buffer = new byte[64];
    }
  }

  /** Control characters, and bytes that UTF-8 never has: not even a string goes on over them. */
  private static boolean endsEverything(int next) {
    return next < 0x20 || next >= 0xfe;
  }

  private static boolean isDigit(int next) {
    return next >= '0' && next <= '9';
  }

  private static boolean isLetter(int next) {
    return next >= 'a' && next <= 'z';
  }
}

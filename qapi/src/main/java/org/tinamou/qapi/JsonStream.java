package org.tinamou.qapi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.Parsed;

/**
 * Reads JSON values from bytes as they arrive on a connection, one after another, with or without
 * white space between them. Besides JSON it takes strings in single quotes; it refuses duplicate
 * keys. A value that is wrong is reported as such once its brackets are balanced, or at once if a
 * byte cannot be there at all; reading goes on behind it.
 *
 * <p>Bounds: a value has at most 1,024 brackets open, 2,097,152 tokens and 64 MiB of tokens; one
 * that is larger is reported and forgotten. Numbers are exact from -2^63 to 2^64 - 1 and doubles
 * beyond. Belongs to one thread at a time.
 */
public final class JsonStream {
  static final int MAX_DEPTH = 1024;
  static final int MAX_TOKENS = 2 << 20;
  static final int MAX_TOKEN_BYTES = 64 << 20;
  private static final String FIELD = "JSON";

  private final Consumer<Parsed<Json>> receiver;
  private final JsonLexer lexer = new JsonLexer(MAX_TOKEN_BYTES, this::token);
  private JsonBuilder builder = new JsonBuilder();
  private int braces;
  private int brackets;
  private int tokens;
  private long tokenBytes;

  /**
   * A stream at its start.
   *
   * @param receiver gets each value, or the message for the user in place of one, within {@link
   *     #feed} and {@link #finish}
   */
  public JsonStream(Consumer<Parsed<Json>> receiver) {
    this.receiver = receiver;
  }

  /** Takes the bytes that remain in the buffer, which stays the caller's. */
  public void feed(ByteBuffer bytes) {
    if (bytes.hasArray()) {
      feed(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
      bytes.position(bytes.limit());
      return;
    }
    byte[] piece = new byte[Math.min(bytes.remaining(), 8192)];
    while (bytes.hasRemaining()) {
      int count = Math.min(bytes.remaining(), piece.length);
      bytes.get(piece, 0, count);
      feed(piece, 0, count);
    }
  }

  /** Takes bytes of an array. */
  public void feed(byte[] bytes, int offset, int length) {
    lexer.feed(bytes, offset, length);
  }

  /** There is no more: reports what is left, if anything. Then the stream is at its start again. */
  public void finish() {
    lexer.finish();
    if (tokens > 0) {
      String error = builder.errorOrNull();
      malformed(parseError(error == null ? "premature EOI" : error));
    }
  }

  private void token(JsonLexer.Kind kind, byte[] bytes, int length) {
    switch (kind) {
      case STRAY -> {
        malformed(parseError("stray '" + shown(bytes, length) + "'"));
        return;
      }
      case OPEN_OBJECT -> braces++;
      case CLOSE_OBJECT -> braces--;
      case OPEN_ARRAY -> brackets++;
      case CLOSE_ARRAY -> brackets--;
      default -> {}
    }
    tokens++;
    tokenBytes += length;
    String limit = exceededLimit(kind);
    if (limit != null) {
      malformed("JSON " + limit + " limit exceeded");
      return;
    }
    builder.token(kind, bytes, length);
    if (braces < 0 || brackets < 0 || (braces == 0 && brackets == 0)) {
      complete();
    }
  }

  private @Nullable String exceededLimit(JsonLexer.Kind kind) {
    if (kind == JsonLexer.Kind.TOO_LONG || tokenBytes > MAX_TOKEN_BYTES) {
      return "token size";
    }
    if (tokens > MAX_TOKENS) {
      return "token count";
    }
    return braces + brackets > MAX_DEPTH ? "nesting depth" : null;
  }

  private void complete() {
    String error = builder.errorOrNull();
    if (error != null) {
      malformed(parseError(error));
      return;
    }
    Json value = builder.valueOrNull();
    Check.state(value != null, "balanced tokens without value or error");
    reset();
    receiver.accept(new Parsed.Value<>(java.util.Objects.requireNonNull(value)));
  }

  private static String parseError(String message) {
    return "JSON parse error, " + message;
  }

  private void malformed(String message) {
    reset();
    receiver.accept(new Parsed.Malformed<>(FIELD, message));
  }

  private void reset() {
    builder = new JsonBuilder();
    braces = 0;
    brackets = 0;
    tokens = 0;
    tokenBytes = 0;
  }

  /** As a C string shows it: up to the first NUL. */
  private static String shown(byte[] bytes, int length) {
    int end = 0;
    while (end < length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }
}

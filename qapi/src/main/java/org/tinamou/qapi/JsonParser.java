package org.tinamou.qapi;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Parsed;

/** Reads a text that is one JSON value, as command lines and {@code json:} file names have it. */
public final class JsonParser {
  private @Nullable Parsed<Json> first;
  private boolean more;

  private JsonParser() {}

  /** The value, or the message for the user. Takes what {@link JsonStream} takes. */
  public static Parsed<Json> parse(String text) {
    JsonParser parser = new JsonParser();
    JsonStream stream = new JsonStream(parser::received);
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    stream.feed(bytes, 0, bytes.length);
    stream.finish();
    return parser.result();
  }

  private void received(Parsed<Json> next) {
    more = first != null;
    if (first == null) {
      first = next;
    }
  }

  private Parsed<Json> result() {
    Parsed<Json> only = first;
    if (only == null) {
      return new Parsed.Malformed<>("JSON", "Expecting a JSON value");
    }
    return more && only instanceof Parsed.Value
        ? new Parsed.Malformed<>("JSON", "Expecting at most one JSON value")
        : only;
  }
}

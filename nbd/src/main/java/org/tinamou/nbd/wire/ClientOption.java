package org.tinamou.nbd.wire;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.base.Parsed;

/** An option of the handshake, as a client sends it. */
public sealed interface ClientOption {
  /** The longest option that is looked into; longer ones are nobody's honest wish. */
  int MAX_BYTES = 256 << 10;

  /** Its number. */
  int code();

  /** Uses an export at once, in the old way: without a reply if there is no such export. */
  record ExportName(String name) implements ClientOption {
    @Override
    public int code() {
      return Nbd.OPT_EXPORT_NAME;
    }
  }

  /** Gives up. */
  record Abort() implements ClientOption {
    @Override
    public int code() {
      return Nbd.OPT_ABORT;
    }
  }

  /** Asks for the names of all exports. */
  record ListExports() implements ClientOption {
    @Override
    public int code() {
      return Nbd.OPT_LIST;
    }
  }

  /** Wants to go on encrypted. */
  record StartTls() implements ClientOption {
    @Override
    public int code() {
      return Nbd.OPT_STARTTLS;
    }
  }

  /**
   * Asks about an export, and uses it if {@code go}.
   *
   * @param items what it would like to know: INFO constants, or unknown ones
   */
  record Info(boolean go, String name, List<Integer> items) implements ClientOption {
    @Override
    public int code() {
      return go ? Nbd.OPT_GO : Nbd.OPT_INFO;
    }
  }

  /** Can read replies in chunks. */
  record StructuredReply() implements ClientOption {
    @Override
    public int code() {
      return Nbd.OPT_STRUCTURED_REPLY;
    }
  }

  /** Wants long headers. */
  record ExtendedHeaders() implements ClientOption {
    @Override
    public int code() {
      return Nbd.OPT_EXTENDED_HEADERS;
    }
  }

  /**
   * Asks for the contexts of an export, or chooses some if {@code set}.
   *
   * @param queries names of contexts, or what some begin with
   */
  record MetaContext(boolean set, String name, List<String> queries) implements ClientOption {
    @Override
    public int code() {
      return set ? Nbd.OPT_SET_META_CONTEXT : Nbd.OPT_LIST_META_CONTEXT;
    }
  }

  /** Something this side does not know. */
  record Unknown(int code) implements ClientOption {}

  /** Reads an option's payload. */
  static Parsed<ClientOption> parse(int code, ByteBuffer payload) {
    return switch (code) {
      case Nbd.OPT_EXPORT_NAME -> exportName(payload);
      case Nbd.OPT_ABORT -> new Parsed.Value<>(new Abort());
      case Nbd.OPT_LIST -> empty(new ListExports(), payload);
      case Nbd.OPT_STARTTLS -> empty(new StartTls(), payload);
      case Nbd.OPT_STRUCTURED_REPLY -> empty(new StructuredReply(), payload);
      case Nbd.OPT_EXTENDED_HEADERS -> empty(new ExtendedHeaders(), payload);
      case Nbd.OPT_INFO, Nbd.OPT_GO -> info(code, payload);
      case Nbd.OPT_LIST_META_CONTEXT, Nbd.OPT_SET_META_CONTEXT -> contexts(code, payload);
      default -> new Parsed.Value<>(new Unknown(code));
    };
  }

  private static Parsed<ClientOption> empty(ClientOption option, ByteBuffer payload) {
    return payload.hasRemaining() ? trailing(option.code()) : new Parsed.Value<>(option);
  }

  private static Parsed<ClientOption> trailing(int code) {
    return new Parsed.Malformed<>(
        "length", "option '" + Nbd.optionName(code) + "' has unexpected length");
  }

  private static Parsed<ClientOption> inconsistent(int code) {
    return new Parsed.Malformed<>(
        "length", "Inconsistent lengths in option " + Nbd.optionName(code));
  }

  private static Parsed<ClientOption> tooLong(int lengthBytes) {
    return new Parsed.Malformed<>(
        "name", "Invalid name length: " + Integer.toUnsignedString(lengthBytes));
  }

  private static Parsed<ClientOption> exportName(ByteBuffer payload) {
    return payload.remaining() > Nbd.MAX_STRING_BYTES
        ? new Parsed.Malformed<>("name", "Bad length received")
        : new Parsed.Value<>(new ExportName(text(payload, payload.remaining())));
  }

  private static Parsed<ClientOption> info(int code, ByteBuffer payload) {
    if (payload.remaining() < 6) {
      return inconsistent(code);
    }
    int nameBytes = payload.getInt();
    if (isTooLong(nameBytes)) {
      return tooLong(nameBytes);
    }
    if (payload.remaining() < nameBytes + 2) {
      return inconsistent(code);
    }
    String name = text(payload, nameBytes);
    int count = payload.getShort() & 0xffff;
    if (payload.remaining() < count * 2) {
      return inconsistent(code);
    }
    List<Integer> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      items.add(payload.getShort() & 0xffff);
    }
    return payload.hasRemaining()
        ? trailing(code)
        : new Parsed.Value<>(new Info(code == Nbd.OPT_GO, name, items));
  }

  private static boolean isTooLong(int unsignedBytes) {
    return unsignedBytes < 0 || unsignedBytes > Nbd.MAX_STRING_BYTES;
  }

  private static Parsed<ClientOption> contexts(int code, ByteBuffer payload) {
    if (payload.remaining() < 8) {
      return inconsistent(code);
    }
    int nameBytes = payload.getInt();
    if (isTooLong(nameBytes)) {
      return tooLong(nameBytes);
    }
    if (payload.remaining() < nameBytes + 4) {
      return inconsistent(code);
    }
    String name = text(payload, nameBytes);
    long count = Integer.toUnsignedLong(payload.getInt());
    List<String> queries = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      if (payload.remaining() < 4) {
        return inconsistent(code);
      }
      int bytes = payload.getInt();
      if (bytes < 0 || payload.remaining() < bytes) {
        return inconsistent(code);
      }
      // Nobody has a context of such a name.
      queries.add(bytes > Nbd.MAX_STRING_BYTES ? skipped(payload, bytes) : text(payload, bytes));
    }
    return new Parsed.Value<>(new MetaContext(code == Nbd.OPT_SET_META_CONTEXT, name, queries));
  }

  private static String skipped(ByteBuffer payload, int bytes) {
    payload.position(payload.position() + bytes);
    return "\0";
  }

  private static String text(ByteBuffer payload, int bytes) {
    byte[] copy = new byte[bytes];
    payload.get(copy);
    return new String(copy, StandardCharsets.UTF_8);
  }
}

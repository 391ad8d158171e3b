package org.tinamou.nbd.client;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireReader;
import org.tinamou.nbd.wire.WireWriter;
import org.tinamou.objects.tls.TlsException;
import org.tinamou.objects.tls.TlsStream;

/** The beginning of a connection to a server, whatever way of speaking that knows. */
public final class ClientHandshake {
  /** A server that goes on for ever about its exports is not believed. */
  private static final int MAX_LISTED = 10_000;

  private final WireReader in;
  private final WireWriter out;
  private final @Nullable StreamSocket socket;
  private final @Nullable ClientTls tls;
  private boolean structured;
  private boolean extended;

  /** What the server has said so far about the export. */
  private static final class Found {
    String description = "";
    long sizeBytes = -1;
    int flags;
    int minimum;
    int preferred;
    int maximum;
  }

  /** An answer to an option. */
  private record Answer(int type, int length) {
    boolean isError() {
      return type < 0;
    }
  }

  /** A handshake in the clear. */
  public ClientHandshake(WireReader in, WireWriter out) {
    this(in, out, null, null);
  }

  /**
   * A handshake.
   *
   * @param socket what the reader and the writer use; not needed without {@code tls}
   * @param tls how to encrypt, or null
   */
  public ClientHandshake(
      WireReader in, WireWriter out, @Nullable StreamSocket socket, @Nullable ClientTls tls) {
    this.in = in;
    this.out = out;
    this.socket = socket;
    this.tls = tls;
  }

  private static HandshakeFailed broken(String message) {
    return new HandshakeFailed(message, null, true);
  }

  /** How a server greets. */
  private enum Greeting {
    OLDSTYLE,
    NEWSTYLE,
    FIXED_NEWSTYLE
  }

  private Greeting greet() throws SessionEnded, HandshakeFailed {
    long magic = readMagic("initial magic");
    if (magic != Nbd.MAGIC) {
      throw broken("Bad initial magic received: 0x%x".formatted(magic));
    }
    magic = readMagic("server magic");
    if (magic == Nbd.OLDSTYLE_MAGIC) {
      requireNoTls();
      return Greeting.OLDSTYLE;
    }
    if (magic != Nbd.OPTION_MAGIC) {
      throw broken("Bad server magic received: 0x%x".formatted(magic));
    }
    int flags = in.readShort();
    boolean fixed = (flags & Nbd.FIXED_NEWSTYLE) != 0;
    noZeroes = (flags & Nbd.NO_ZEROES) != 0;
    out.putInt((fixed ? Nbd.FIXED_NEWSTYLE : 0) | (noZeroes ? Nbd.NO_ZEROES : 0));
    if (!fixed) {
      requireNoTls();
      return Greeting.NEWSTYLE;
    }
    startTls();
    return Greeting.FIXED_NEWSTYLE;
  }

  private void requireNoTls() throws HandshakeFailed {
    if (tls != null) {
      throw broken("Server does not support STARTTLS");
    }
  }

  private void startTls() throws SessionEnded, HandshakeFailed {
    ClientTls wanted = tls;
    StreamSocket plain = socket;
    if (wanted == null || plain == null) {
      return;
    }
    option(Nbd.OPT_STARTTLS, new byte[0]);
    Answer answer = answer(Nbd.OPT_STARTTLS);
    if (answer.isError()) {
      String said = text(Math.min(answer.length, Nbd.MAX_STRING_BYTES));
      throw refused(Nbd.OPT_STARTTLS, answer.type, said);
    }
    if (answer.type != Nbd.REP_ACK || answer.length != 0) {
      throw broken("Unexpected reply type %d, expected %d".formatted(answer.type, Nbd.REP_ACK));
    }
    // What came in the clear behind the answer may be anybody's.
    in.discardBuffered();
    try {
      StreamSocket encrypted = TlsStream.client(plain, wanted.credentials(), wanted.host());
      in.switchTo(encrypted);
      out.switchTo(encrypted);
    } catch (TlsException e) {
      throw broken(e.reason());
    }
  }

  private boolean noZeroes;

  private long readMagic(String what) throws SessionEnded {
    if (!in.await(8)) {
      throw new SessionEnded(
          "Failed to read %s: Unexpected end-of-file before all data were read".formatted(what));
    }
    return in.readLong();
  }

  /**
   * Agrees on an export.
   *
   * @param contexts what block status is to tell of
   * @param mayExtend whether long headers may be asked for
   */
  @InCoroutine
  public ExportDetails open(String name, List<String> contexts, boolean mayExtend)
      throws SessionEnded, HandshakeFailed {
    return switch (greet()) {
      case OLDSTYLE -> oldstyle(name);
      case NEWSTYLE -> exportName(name);
      case FIXED_NEWSTYLE -> fixed(name, contexts, mayExtend);
    };
  }

  private ExportDetails oldstyle(String name) throws SessionEnded, HandshakeFailed {
    if (!name.isEmpty()) {
      throw broken("Server does not support non-empty export names");
    }
    Found found = new Found();
    found.sizeBytes = in.readLong();
    int flags = in.readInt();
    if ((flags & ~0xffff) != 0) {
      throw broken("Unexpected export flags 0x%x".formatted(flags));
    }
    found.flags = flags;
    in.skip(Nbd.RESERVED_BYTES);
    return details(name, found, Map.of(), List.of());
  }

  private ExportDetails exportName(String name) throws SessionEnded, HandshakeFailed {
    option(Nbd.OPT_EXPORT_NAME, name.getBytes(StandardCharsets.UTF_8));
    Found found = new Found();
    if (!in.await(10)) {
      throw new HandshakeFailed(
          "Failed to read export length: Unexpected end-of-file before all data were read",
          null,
          true);
    }
    found.sizeBytes = in.readLong();
    found.flags = in.readShort();
    if (!noZeroes) {
      in.skip(Nbd.RESERVED_BYTES);
    }
    return details(name, found, Map.of(), List.of());
  }

  private ExportDetails fixed(String name, List<String> contexts, boolean mayExtend)
      throws SessionEnded, HandshakeFailed {
    extended = mayExtend && accepts(Nbd.OPT_EXTENDED_HEADERS);
    structured = extended || accepts(Nbd.OPT_STRUCTURED_REPLY);
    Map<String, Integer> chosen = new LinkedHashMap<>();
    if (structured && !contexts.isEmpty()) {
      chosen.putAll(setContexts(name, contexts));
    }
    Found found = go(name, Nbd.OPT_GO);
    return found == null ? exportName(name) : details(name, found, chosen, List.of());
  }

  private ExportDetails details(
      String name, Found found, Map<String, Integer> chosen, List<String> offered)
      throws HandshakeFailed {
    if (found.sizeBytes < 0) {
      throw broken("server reported an export of no size that makes sense");
    }
    int flags = (found.flags & Nbd.HAS_FLAGS) != 0 ? found.flags : 0;
    return new ExportDetails(
        name,
        found.description,
        found.sizeBytes,
        flags,
        found.minimum,
        found.preferred,
        found.maximum,
        structured,
        extended,
        Map.copyOf(chosen),
        offered);
  }

  /** Whether the server takes an option without details; it need not even know it. */
  private boolean accepts(int code) throws SessionEnded, HandshakeFailed {
    option(code, new byte[0]);
    Answer answer = answer(code);
    if (answer.isError()) {
      in.skip(answer.length);
      return false;
    }
    if (answer.type != Nbd.REP_ACK || answer.length != 0) {
      throw broken("Unexpected reply type %d, expected %d".formatted(answer.type, Nbd.REP_ACK));
    }
    return true;
  }

  private Map<String, Integer> setContexts(String name, List<String> contexts)
      throws SessionEnded, HandshakeFailed {
    contextOption(Nbd.OPT_SET_META_CONTEXT, name, contexts);
    Map<String, Integer> found = new LinkedHashMap<>();
    while (true) {
      Answer answer = answer(Nbd.OPT_SET_META_CONTEXT);
      if (answer.isError()) {
        in.skip(answer.length);
        return Map.of();
      }
      if (answer.type == Nbd.REP_ACK) {
        return found;
      }
      if (answer.type != Nbd.REP_META_CONTEXT
          || answer.length < 5
          || answer.length > 4 + Nbd.MAX_STRING_BYTES) {
        throw broken("Unexpected reply type %d to meta context".formatted(answer.type));
      }
      int id = in.readInt();
      String told = text(answer.length - 4);
      if (!contexts.contains(told) || found.containsKey(told) || found.containsValue(id)) {
        throw broken(
            "requested '%s', but server returned '%s'"
                .formatted(String.join("', '", contexts), told));
      }
      found.put(told, id);
    }
  }

  private void contextOption(int code, String name, List<String> queries) throws SessionEnded {
    byte[] export = name.getBytes(StandardCharsets.UTF_8);
    int length = 8 + export.length;
    List<byte[]> texts = new ArrayList<>();
    for (String query : queries) {
      byte[] text = query.getBytes(StandardCharsets.UTF_8);
      texts.add(text);
      length += 4 + text.length;
    }
    out.putLong(Nbd.OPTION_MAGIC).putInt(code).putInt(length);
    out.putInt(export.length).putBytes(export).putInt(queries.size());
    for (byte[] text : texts) {
      out.putInt(text.length).putBytes(text);
    }
    out.flush();
  }

  /** What the server says of an export, or null if it does not know the question. */
  private @Nullable Found go(String name, int code) throws SessionEnded, HandshakeFailed {
    byte[] export = name.getBytes(StandardCharsets.UTF_8);
    out.putLong(Nbd.OPTION_MAGIC).putInt(code).putInt(8 + export.length);
    out.putInt(export.length).putBytes(export).putShort(1).putShort(Nbd.INFO_BLOCK_SIZE);
    out.flush();
    Found found = new Found();
    while (true) {
      Answer answer = answer(code);
      if (answer.isError()) {
        String said = text(Math.min(answer.length, Nbd.MAX_STRING_BYTES));
        in.skip(Math.max(0, answer.length - Nbd.MAX_STRING_BYTES));
        if (answer.type == Nbd.REP_ERR_UNSUP) {
          return null;
        }
        throw refused(code, answer.type, said);
      }
      if (answer.type == Nbd.REP_ACK) {
        if (found.sizeBytes < 0) {
          throw broken("broken server omitted information about the export");
        }
        return found;
      }
      if (answer.type != Nbd.REP_INFO || answer.length < 2) {
        throw broken("unexpected reply type %d, expected %d".formatted(answer.type, Nbd.REP_INFO));
      }
      info(found, answer.length);
    }
  }

  private static HandshakeFailed refused(int code, int type, String said) throws HandshakeFailed {
    String option = "%d (%s)".formatted(code, Nbd.optionName(code));
    String message =
        switch (type) {
          case Nbd.REP_ERR_POLICY -> "Denied by server for option " + option;
          case Nbd.REP_ERR_INVALID -> "Invalid parameters for option " + option;
          case Nbd.REP_ERR_PLATFORM -> "Server lacks support for option " + option;
          case Nbd.REP_ERR_UNKNOWN -> "Requested export not available";
          case Nbd.REP_ERR_UNSUP -> "Unsupported option type " + option;
          case Nbd.REP_ERR_TLS_REQD -> "TLS negotiation required before option " + option;
          case Nbd.REP_ERR_SHUTDOWN -> "Server shutting down before option " + option;
          case Nbd.REP_ERR_BLOCK_SIZE_REQD ->
              "Server requires INFO_BLOCK_SIZE for option " + option;
          default -> "Unknown error code 0x%x when asking for option %s".formatted(type, option);
        };
    String hint = said.isEmpty() ? null : "server reported: " + said;
    if (type == Nbd.REP_ERR_TLS_REQD) {
      String advice = "Did you forget a valid tls-creds?";
      hint = hint == null ? advice : advice + "\n" + hint;
    }
    return new HandshakeFailed(message, hint, true);
  }

  private void info(Found found, int length) throws SessionEnded, HandshakeFailed {
    int item = in.readShort();
    int left = length - 2;
    switch (item) {
      case Nbd.INFO_EXPORT -> {
        requireLength(left, 10);
        found.sizeBytes = in.readLong();
        found.flags = in.readShort();
      }
      case Nbd.INFO_BLOCK_SIZE -> {
        requireLength(left, 12);
        found.minimum = in.readInt();
        found.preferred = in.readInt();
        found.maximum = in.readInt();
        checkBlocks(found);
      }
      case Nbd.INFO_DESCRIPTION -> {
        if (left > Nbd.MAX_STRING_BYTES) {
          throw broken("server sent a description that is too long");
        }
        found.description = text(left);
      }
      default -> in.skip(left);
    }
  }

  private static void requireLength(int got, int expected) throws HandshakeFailed {
    if (got != expected) {
      throw broken(
          "invalid length %d of information, expected %d".formatted(got + 2, expected + 2));
    }
  }

  private static void checkBlocks(Found found) throws HandshakeFailed {
    if (found.minimum <= 0 || Integer.bitCount(found.minimum) != 1) {
      throw broken(
          "server advertised unexpected minimum block size: "
              + Integer.toUnsignedString(found.minimum)
              + (found.minimum == 0 ? "" : " not a power of two"));
    }
    if (found.preferred <= 0
        || Integer.bitCount(found.preferred) != 1
        || found.preferred < found.minimum) {
      throw broken(
          "server advertised nonsensical preferred block size: "
              + Integer.toUnsignedString(found.preferred));
    }
    if (Integer.compareUnsigned(found.maximum, found.minimum) < 0) {
      throw broken(
          "server advertised nonsensical maximum block size: "
              + Integer.toUnsignedString(found.maximum));
    }
  }

  private void option(int code, byte[] payload) throws SessionEnded {
    out.putLong(Nbd.OPTION_MAGIC).putInt(code).putInt(payload.length).putBytes(payload);
    out.flush();
  }

  private Answer answer(int code) throws SessionEnded, HandshakeFailed {
    long magic = in.readLong();
    if (magic != Nbd.OPTION_REPLY_MAGIC) {
      throw broken("Unexpected option reply magic");
    }
    int told = in.readInt();
    if (told != code) {
      throw broken("Unexpected option type %d, expected %d".formatted(told, code));
    }
    int type = in.readInt();
    int length = in.readInt();
    if (length < 0 || length > Nbd.MAX_TRANSFER_BYTES) {
      throw broken("option reply is too long");
    }
    return new Answer(type, length);
  }

  private String text(int bytes) throws SessionEnded {
    return new String(in.readBytes(bytes), StandardCharsets.UTF_8);
  }

  // --------------------------------------------------------------------------------- listing

  /** What all exports of the server are; of each all that the server tells. */
  @InCoroutine
  public List<ExportDetails> list() throws SessionEnded, HandshakeFailed {
    Greeting greeting = greet();
    if (greeting == Greeting.OLDSTYLE) {
      return List.of(oldstyle(""));
    }
    if (greeting == Greeting.NEWSTYLE) {
      return List.of(exportName(""));
    }
    structured = accepts(Nbd.OPT_STRUCTURED_REPLY);
    List<ExportDetails> all = new ArrayList<>();
    for (Map.Entry<String, String> each : names().entrySet()) {
      Found found = go(each.getKey(), Nbd.OPT_INFO);
      if (found == null) {
        continue;
      }
      if (found.description.isEmpty()) {
        found.description = each.getValue();
      }
      List<String> offered = structured ? offered(each.getKey()) : List.of();
      all.add(details(each.getKey(), found, Map.of(), offered));
    }
    option(Nbd.OPT_ABORT, new byte[0]);
    return all;
  }

  private Map<String, String> names() throws SessionEnded, HandshakeFailed {
    option(Nbd.OPT_LIST, new byte[0]);
    Map<String, String> names = new LinkedHashMap<>();
    while (true) {
      Answer answer = answer(Nbd.OPT_LIST);
      if (answer.isError()) {
        String said = text(Math.min(answer.length, Nbd.MAX_STRING_BYTES));
        throw refused(Nbd.OPT_LIST, answer.type, said);
      }
      if (answer.type == Nbd.REP_ACK) {
        return names;
      }
      int nameBytes = answer.length < 4 ? -1 : in.readInt();
      if (answer.type != Nbd.REP_SERVER
          || nameBytes < 0
          || nameBytes > Math.min(answer.length - 4, Nbd.MAX_STRING_BYTES)
          || answer.length - 4 - nameBytes > Nbd.MAX_STRING_BYTES) {
        throw broken("incorrect length of an export's name");
      }
      String name = text(nameBytes);
      names.put(name, text(answer.length - 4 - nameBytes));
      if (names.size() > MAX_LISTED) {
        throw broken("the server has too many exports");
      }
    }
  }

  private List<String> offered(String name) throws SessionEnded, HandshakeFailed {
    contextOption(Nbd.OPT_LIST_META_CONTEXT, name, List.of());
    List<String> all = new ArrayList<>();
    while (true) {
      Answer answer = answer(Nbd.OPT_LIST_META_CONTEXT);
      if (answer.isError()) {
        in.skip(answer.length);
        return List.of();
      }
      if (answer.type == Nbd.REP_ACK) {
        return all;
      }
      if (answer.length < 5
          || answer.length > 4 + Nbd.MAX_STRING_BYTES
          || all.size() >= MAX_LISTED) {
        throw broken("incorrect length of a context's name");
      }
      in.readInt();
      all.add(text(answer.length - 4));
    }
  }
}

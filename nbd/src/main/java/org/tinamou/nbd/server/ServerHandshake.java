package org.tinamou.nbd.server;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Parsed;
import org.tinamou.nbd.server.Negotiated.ActiveContext;
import org.tinamou.nbd.wire.ClientOption;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireReader;
import org.tinamou.nbd.wire.WireWriter;

/** The beginning of a connection: client and server agree on an export and how to speak of it. */
final class ServerHandshake {
  /** Where the exports are. */
  interface Exports {
    @Nullable NbdExport find(String name);

    Collection<NbdExport> all();
  }

  private static final int BASE_FLAGS = Nbd.HAS_FLAGS | Nbd.SEND_FLUSH | Nbd.SEND_FUA;
  private static final int SHOWN_NAME_CHARACTERS = 80;

  private final WireReader in;
  private final WireWriter out;
  private final Exports exports;
  private final TlsStart tls;
  private boolean zeroes = true;
  private boolean structured;
  private boolean extended;
  private @Nullable String contextExport;
  private List<ActiveContext> contexts = List.of();

  ServerHandshake(WireReader in, WireWriter out, Exports exports, TlsStart tls) {
    this.in = in;
    this.out = out;
    this.exports = exports;
    this.tls = tls;
  }

  /**
   * Shakes hands.
   *
   * @return null if the client has gone in an orderly way
   */
  @InCoroutine
  @Nullable Negotiated run(boolean oldstyle) throws SessionEnded {
    if (oldstyle) {
      return greetOldstyle();
    }
    out.putLong(Nbd.MAGIC).putLong(Nbd.OPTION_MAGIC).putShort(Nbd.FIXED_NEWSTYLE | Nbd.NO_ZEROES);
    out.flush();
    if (!in.await(4)) {
      throw new SessionEnded(
          "Failed to read flags: Unexpected end-of-file before all data were read");
    }
    int flags = in.readInt();
    if ((flags & ~(Nbd.FIXED_NEWSTYLE | Nbd.NO_ZEROES)) != 0) {
      throw new SessionEnded(
          "Unknown client flags 0x%x received"
              .formatted(flags & ~(Nbd.FIXED_NEWSTYLE | Nbd.NO_ZEROES)));
    }
    zeroes = (flags & Nbd.NO_ZEROES) == 0;
    return options((flags & Nbd.FIXED_NEWSTYLE) != 0);
  }

  private Negotiated greetOldstyle() throws SessionEnded {
    NbdExport export = tls.isConfigured() ? null : exports.find("");
    if (export == null) {
      throw new SessionEnded("export not found");
    }
    out.putLong(Nbd.MAGIC).putLong(Nbd.OLDSTYLE_MAGIC).putLong(export.sizeBytes());
    out.putShort(0).putShort(flagsOf(export)).putZeroes(Nbd.RESERVED_BYTES);
    out.flush();
    return new Negotiated(export, false, false, List.of());
  }

  private @Nullable Negotiated options(boolean fixed) throws SessionEnded {
    while (true) {
      if (!in.await(16)) {
        throw new SessionEnded(
            "Failed to read opts magic: Unexpected end-of-file before all data were read");
      }
      if (in.readLong() != Nbd.OPTION_MAGIC) {
        throw new SessionEnded("Bad magic received");
      }
      int code = in.readInt();
      int length = in.readInt();
      if (length < 0 || length > Nbd.MAX_TRANSFER_BYTES) {
        throw new SessionEnded(
            "len (%s) is larger than max len (%d)"
                .formatted(Integer.toUnsignedString(length), Nbd.MAX_TRANSFER_BYTES));
      }
      if (!fixed && code != Nbd.OPT_EXPORT_NAME) {
        throw new SessionEnded(
            "Unsupported option %s (%s)"
                .formatted(Integer.toUnsignedString(code), Nbd.optionName(code)));
      }
      if (tls.isMissing() && refusedWithoutTls(code, length)) {
        out.flush();
        continue;
      }
      Negotiated result =
          length > ClientOption.MAX_BYTES ? tooBig(code, length) : option(code, length);
      if (code == Nbd.OPT_ABORT) {
        acknowledgeAbort();
        return null;
      }
      out.flush();
      if (result != null) {
        return result;
      }
    }
  }

  /** Before TLS nothing is told, and nothing looked at. */
  private boolean refusedWithoutTls(int code, int length) throws SessionEnded {
    if (code == Nbd.OPT_STARTTLS || code == Nbd.OPT_ABORT) {
      return false;
    }
    String message = "Option 0x%x not permitted before TLS".formatted(code);
    if (code == Nbd.OPT_EXPORT_NAME) {
      throw new SessionEnded(message);
    }
    in.skip(length);
    refuse(code, Nbd.REP_ERR_TLS_REQD, message);
    return true;
  }

  private void startTls(int code) throws SessionEnded {
    if (tls.isStarted()) {
      refuse(code, Nbd.REP_ERR_INVALID, "TLS already enabled");
    } else if (!tls.isConfigured()) {
      refuse(code, Nbd.REP_ERR_POLICY, "TLS not configured");
    } else {
      reply(code, Nbd.REP_ACK, 0);
      out.flush();
      // What came in the clear behind the request may be anybody's.
      in.discardBuffered();
      StreamSocket encrypted = tls.start();
      in.switchTo(encrypted);
      out.switchTo(encrypted);
      structured = false;
      extended = false;
      contextExport = null;
      contexts = List.of();
    }
  }

  private void acknowledgeAbort() {
    try {
      out.flush();
    } catch (SessionEnded gone) {
      // Nobody has to wait for the answer.
      zeroes = false;
    }
  }

  private @Nullable Negotiated tooBig(int code, int length) throws SessionEnded {
    in.skip(length);
    if (code > 0 && code <= Nbd.OPT_EXTENDED_HEADERS && code != 4) {
      refuse(code, Nbd.REP_ERR_TOO_BIG, "option '" + Nbd.optionName(code) + "' is too long");
    } else {
      unsupported(code);
    }
    return null;
  }

  private @Nullable Negotiated option(int code, int length) throws SessionEnded {
    ByteBuffer payload = ByteBuffer.wrap(in.readBytes(length));
    return switch (ClientOption.parse(code, payload)) {
      case Parsed.Malformed<ClientOption> malformed -> {
        if (code == Nbd.OPT_EXPORT_NAME) {
          throw new SessionEnded(malformed.message());
        }
        refuse(code, Nbd.REP_ERR_INVALID, malformed.message());
        yield null;
      }
      case Parsed.Value<ClientOption>(ClientOption option) -> option(option);
    };
  }

  private @Nullable Negotiated option(ClientOption option) throws SessionEnded {
    switch (option) {
      case ClientOption.ExportName(String name) -> {
        return exportName(name);
      }
      case ClientOption.Abort _ -> reply(option.code(), Nbd.REP_ACK, 0);
      case ClientOption.ListExports _ -> {
        for (NbdExport export : exports.all()) {
          list(export);
        }
        reply(option.code(), Nbd.REP_ACK, 0);
      }
      case ClientOption.StartTls _ -> startTls(option.code());
      case ClientOption.Info info -> {
        return info(info);
      }
      case ClientOption.StructuredReply _ -> {
        if (extended) {
          refuse(option.code(), Nbd.REP_ERR_EXT_HEADER_REQD, "extended headers already negotiated");
        } else if (structured) {
          refuse(option.code(), Nbd.REP_ERR_INVALID, "structured reply already negotiated");
        } else {
          structured = true;
          reply(option.code(), Nbd.REP_ACK, 0);
        }
      }
      case ClientOption.ExtendedHeaders _ -> {
        if (extended) {
          refuse(option.code(), Nbd.REP_ERR_INVALID, "extended headers already negotiated");
        } else {
          structured = true;
          extended = true;
          reply(option.code(), Nbd.REP_ACK, 0);
        }
      }
      case ClientOption.MetaContext meta -> metaContext(meta);
      case ClientOption.Unknown unknown -> unsupported(unknown.code());
    }
    return null;
  }

  private void unsupported(int code) throws SessionEnded {
    refuse(
        code,
        Nbd.REP_ERR_UNSUP,
        "Unsupported option %s (%s)"
            .formatted(Integer.toUnsignedString(code), Nbd.optionName(code)));
  }

  private Negotiated exportName(String name) throws SessionEnded {
    NbdExport export = exports.find(name);
    if (export == null) {
      throw new SessionEnded("export not found");
    }
    out.putLong(export.sizeBytes()).putShort(flagsOf(export));
    if (zeroes) {
      out.putZeroes(Nbd.RESERVED_BYTES);
    }
    return negotiated(export);
  }

  private Negotiated negotiated(NbdExport export) {
    boolean same = export.name().equals(contextExport);
    return new Negotiated(export, structured, extended, same ? contexts : List.of());
  }

  private int flagsOf(NbdExport export) {
    int flags = BASE_FLAGS | Nbd.SEND_CACHE;
    if (export.isReadOnly()) {
      flags |= Nbd.READ_ONLY;
    } else {
      flags |= Nbd.SEND_TRIM | Nbd.SEND_WRITE_ZEROES | Nbd.SEND_FAST_ZERO;
    }
    if (export.isMultiConnection()) {
      flags |= Nbd.CAN_MULTI_CONN;
    }
    if (structured) {
      flags |= Nbd.SEND_DF;
    }
    if (extended) {
      flags |= Nbd.BLOCK_STAT_PAYLOAD;
    }
    return flags;
  }

  private void list(NbdExport export) throws SessionEnded {
    byte[] name = export.name().getBytes(StandardCharsets.UTF_8);
    byte[] description = export.description().getBytes(StandardCharsets.UTF_8);
    reply(Nbd.OPT_LIST, Nbd.REP_SERVER, 4 + name.length + description.length);
    out.putInt(name.length).putBytes(name).putBytes(description);
  }

  private @Nullable Negotiated info(ClientOption.Info info) throws SessionEnded {
    NbdExport export = exports.find(info.name());
    int code = info.code();
    if (export == null) {
      refuseUnknown(code, info.name());
      return null;
    }
    if (info.items().contains(Nbd.INFO_NAME)) {
      infoText(code, Nbd.INFO_NAME, export.name());
    }
    if (!export.description().isEmpty()) {
      infoText(code, Nbd.INFO_DESCRIPTION, export.description());
    }
    boolean knowsBlocks = info.items().contains(Nbd.INFO_BLOCK_SIZE);
    int minimum = export.minimumBlockBytes();
    reply(code, Nbd.REP_INFO, 14);
    out.putShort(Nbd.INFO_BLOCK_SIZE)
        .putInt(knowsBlocks || !info.go() ? minimum : Math.min(minimum, 512))
        .putInt(Math.max(minimum, export.preferredBlockBytes()))
        .putInt(Nbd.MAX_TRANSFER_BYTES);
    reply(code, Nbd.REP_INFO, 12);
    out.putShort(Nbd.INFO_EXPORT).putLong(export.sizeBytes()).putShort(flagsOf(export));
    reply(code, Nbd.REP_ACK, 0);
    return info.go() ? negotiated(export) : null;
  }

  private void infoText(int code, int item, String text) throws SessionEnded {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    reply(code, Nbd.REP_INFO, 2 + bytes.length);
    out.putShort(item).putBytes(bytes);
  }

  private void metaContext(ClientOption.MetaContext meta) throws SessionEnded {
    int code = meta.code();
    if (meta.set() && !structured) {
      refuse(
          code,
          Nbd.REP_ERR_INVALID,
          "request option 'set meta context' when structured reply is not negotiated");
      return;
    }
    if (meta.set()) {
      contextExport = null;
      contexts = List.of();
    }
    NbdExport export = exports.find(meta.name());
    if (export == null) {
      refuseUnknown(code, meta.name());
      return;
    }
    List<ActiveContext> found = new ArrayList<>();
    List<String> all = export.contexts();
    for (int i = 0; i < all.size(); i++) {
      String context = all.get(i);
      boolean asked =
          (!meta.set() && meta.queries().isEmpty())
              || meta.queries().stream().anyMatch(query -> matches(query, context, meta.set()));
      if (asked) {
        found.add(new ActiveContext(i, context));
      }
    }
    if (meta.set()) {
      contextExport = export.name();
      contexts = List.copyOf(found);
    }
    for (ActiveContext each : found) {
      byte[] name = each.name().getBytes(StandardCharsets.UTF_8);
      reply(code, Nbd.REP_META_CONTEXT, 4 + name.length);
      out.putInt(meta.set() ? each.id() : 0).putBytes(name);
    }
    reply(code, Nbd.REP_ACK, 0);
  }

  /** Lists may be asked for by a name space, or by the beginning of the bitmaps' names. */
  private static boolean matches(String query, String context, boolean set) {
    if (query.equals(context)) {
      return true;
    }
    boolean prefix =
        query.equals("base:") || query.equals("qemu:") || query.equals(Nbd.DIRTY_BITMAP);
    return !set && prefix && context.startsWith(query);
  }

  private void refuseUnknown(int code, String name) throws SessionEnded {
    String shown =
        name.length() > SHOWN_NAME_CHARACTERS
            ? name.substring(0, SHOWN_NAME_CHARACTERS) + "..."
            : name;
    refuse(code, Nbd.REP_ERR_UNKNOWN, "export '" + shown + "' not present");
  }

  private void refuse(int code, int reply, String message) throws SessionEnded {
    byte[] text = message.getBytes(StandardCharsets.UTF_8);
    reply(code, reply, text.length);
    out.putBytes(text);
  }

  private void reply(int code, int reply, int length) throws SessionEnded {
    out.putLong(Nbd.OPTION_REPLY_MAGIC).putInt(code).putInt(reply).putInt(length);
  }
}

package org.tinamou.tools.nbd;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.StringJoiner;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.nbd.client.ClientHandshake;
import org.tinamou.nbd.client.ClientTls;
import org.tinamou.nbd.client.ExportDetails;
import org.tinamou.nbd.client.HandshakeFailed;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.nbd.wire.WireReader;
import org.tinamou.nbd.wire.WireWriter;
import org.tinamou.objects.tls.TlsCredentials;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.ToolException;

/** What {@code --list} prints of another server. */
final class ExportListing {
  private static final int BUFFER_BYTES = 64 << 10;

  /** A flag and the word for it, in the order in which they are printed. */
  private record FlagWord(int flag, String word) {}

  private static final List<FlagWord> WORDS =
      List.of(
          new FlagWord(Nbd.READ_ONLY, "readonly"),
          new FlagWord(Nbd.SEND_FLUSH, "flush"),
          new FlagWord(Nbd.SEND_FUA, "fua"),
          new FlagWord(Nbd.ROTATIONAL, "rotational"),
          new FlagWord(Nbd.SEND_TRIM, "trim"),
          new FlagWord(Nbd.SEND_WRITE_ZEROES, "zeroes"),
          new FlagWord(Nbd.SEND_DF, "df"),
          new FlagWord(Nbd.CAN_MULTI_CONN, "multi"),
          new FlagWord(Nbd.SEND_RESIZE, "resize"),
          new FlagWord(Nbd.SEND_CACHE, "cache"),
          new FlagWord(Nbd.SEND_FAST_ZERO, "fast-zero"),
          new FlagWord(Nbd.BLOCK_STAT_PAYLOAD, "block-status-payload"));

  private ExportListing() {}

  @InCoroutine
  static int print(AioContext context, Console console, NbdOptions options) throws ToolException {
    List<ExportDetails> exports = ask(context, options);
    console.line("exports available: " + exports.size());
    for (ExportDetails each : exports) {
      print(console, each);
    }
    return 0;
  }

  private static List<ExportDetails> ask(AioContext context, NbdOptions options)
      throws ToolException {
    TlsCredentials credentials = options.credentials(TlsCredentials.Endpoint.CLIENT);
    StreamSocket socket;
    try {
      socket = context.io().sockets().connect(ServerAddress.of(options));
    } catch (IOException e) {
      throw new ToolException(String.valueOf(e.getMessage()));
    }
    try {
      String host = options.tlsHostname;
      if (host == null && options.socket == null) {
        host = options.bind == null ? NbdOptions.DEFAULT_BIND : options.bind;
      }
      ClientTls tls = credentials == null ? null : new ClientTls(credentials, host);
      Arena arena = Arena.ofAuto();
      WireReader in = new WireReader(socket, arena.allocate(BUFFER_BYTES, 64));
      WireWriter out = new WireWriter(socket, arena.allocate(BUFFER_BYTES, 64));
      return new ClientHandshake(in, out, socket, tls).list();
    } catch (SessionEnded e) {
      throw new ToolException(e.reason());
    } catch (HandshakeFailed e) {
      throw new ToolException(1, List.of(String.valueOf(e.getMessage())), e.hint());
    } finally {
      socket.close();
    }
  }

  private static void print(Console console, ExportDetails export) {
    console.line(" export: '" + export.name() + "'");
    if (!export.description().isEmpty()) {
      console.line("  description: " + export.description());
    }
    console.line("  size:  " + Long.toUnsignedString(export.sizeBytes()));
    if (export.has(Nbd.HAS_FLAGS)) {
      StringJoiner words = new StringJoiner(" ");
      for (FlagWord each : WORDS) {
        if (export.has(each.flag)) {
          words.add(each.word);
        }
      }
      console.line("  flags: 0x%x ( %s )".formatted(export.flags(), words));
    }
    if (export.minimumBlockBytes() != 0) {
      console.line("  min block: " + Integer.toUnsignedString(export.minimumBlockBytes()));
      console.line("  opt block: " + Integer.toUnsignedString(export.preferredBlockBytes()));
      console.line("  max block: " + Integer.toUnsignedString(export.maximumBlockBytes()));
    }
    if (!export.offered().isEmpty()) {
      console.line("  available meta contexts: " + export.offered().size());
      for (String each : export.offered()) {
        console.line("   " + each);
      }
    }
  }
}

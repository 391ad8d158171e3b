package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.EnumSet;
import java.util.Set;
import java.util.function.IntFunction;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.tinamou.nbd.client.ClientTls;
import org.tinamou.nbd.server.ServerTls;
import org.tinamou.testkit.net.Cut;

/**
 * Encrypted sessions are cut off at every byte of either direction. There is a handshake for each,
 * so in the short run the ways to cut take turns, and certificates are tried at some offsets only.
 */
final class TlsCutsTest {
  /** Whether every offset is cut in every way, which takes minutes. */
  private static final boolean ALL = Boolean.getBoolean("tinamou.tls.all");

  /** Offsets between those of sessions with certificates. */
  private static final int STRIDE = ALL ? 1 : 67;

  /** The last bytes only say that nothing follows, and a client does not ask for the answer. */
  private static final int SERVER_END_BYTES = 40;

  /** The same, and the request to disconnect. */
  private static final int CLIENT_END_BYTES = 90;

  /** Lengths of signatures differ from run to run. */
  private static final int CERTIFICATE_SLACK_BYTES = 16;

  private static Set<Cut> ways(int offset) {
    return ALL ? EnumSet.allOf(Cut.class) : EnumSet.of(Cut.values()[offset % Cut.values().length]);
  }

  @Test
  @DisplayName("N8, N9, row 35: cut off at every byte of a session with a shared key")
  void everyByte() {
    cut(Credentials.PSK, 1, 0, TlsCutsTest::ways);
  }

  @Test
  @DisplayName("N8, N9, row 35: cut off all over a session with certificates, in every way")
  void certificates() {
    cut(Credentials.X509, STRIDE, CERTIFICATE_SLACK_BYTES, _ -> EnumSet.allOf(Cut.class));
  }

  private static void cut(Credentials kind, int stride, int slack, IntFunction<Set<Cut>> ways) {
    ServerTls server = kind.server();
    ClientTls client = kind.client();
    TlsRun.Outcome whole = TlsRun.of(1, server, Session.small(client), (_, _) -> {});
    assertNull(whole.client());
    for (int at = 0; at <= whole.serverBytes(); at += stride) {
      for (Cut cut : ways.apply(at)) {
        int offset = at;
        TlsRun.Outcome outcome =
            TlsRun.of(at, server, Session.small(client), (_, end) -> end.cutAfter(offset, cut));
        if (at < whole.serverBytes() - SERVER_END_BYTES - slack) {
          assertNotNull(outcome.client(), () -> cut + " of the server's bytes at " + offset);
        }
      }
    }
    for (int at = 0; at <= whole.clientBytes(); at += stride) {
      for (Cut cut : ways.apply(at)) {
        int offset = at;
        TlsRun.Outcome outcome =
            TlsRun.of(at, server, Session.small(client), (end, _) -> end.cutAfter(offset, cut));
        if (at < whole.clientBytes() - CLIENT_END_BYTES - slack) {
          assertNotNull(outcome.client(), () -> cut + " of the client's bytes at " + offset);
        }
      }
    }
  }
}

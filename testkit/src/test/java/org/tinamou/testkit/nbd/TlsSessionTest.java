package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.nbd.client.ClientTls;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.nbd.server.ServerTls;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.objects.tls.TlsException;
import org.tinamou.objects.tls.TlsStream;
import org.tinamou.testkit.net.MemoryExport;
import org.tinamou.testkit.net.SimStream;
import org.tinamou.testkit.sim.Simulation;

/** Encrypted sessions: what they carry and what they refuse. */
final class TlsSessionTest {
  private static TlsRun.Outcome run(ServerTls server, ClientTls client) {
    return TlsRun.of(1, server, new Session(true, client), (_, _) -> {});
  }

  @ParameterizedTest
  @EnumSource(Credentials.class)
  void carriesWholeSessionsAlsoByteByByte(Credentials kind) {
    for (int seed = 0; seed < 5; seed++) {
      boolean drip = seed > 2;
      TlsRun.Outcome outcome =
          TlsRun.of(
              seed,
              kind.server(),
              new Session(true, kind.client()),
              (client, server) -> {
                if (drip) {
                  client.drip();
                  server.drip();
                }
              });
      assertNull(outcome.client());
      assertNull(outcome.server());
    }
  }

  @ParameterizedTest
  @EnumSource(Credentials.class)
  @DisplayName("who says that nothing follows is believed: the connection itself need not end")
  void theEndIsSaid(Credentials kind) {
    Simulation simulation = new Simulation(1, false);
    simulation.calmDown();
    AioContext loop = simulation.newLoop("both");
    loop.spawn(
        "client",
        () -> {
          List<SimStream> ends = simulation.network().pair();
          Coroutine server = loop.spawn("server", () -> take(kind, ends.getLast()));
          MemorySegment bytes = Arena.ofAuto().allocate(64);
          TlsStream client = client(kind, ends.getFirst());
          assertEquals(64, client.write(bytes));
          client.sayEnd();
          assertEquals(0, client.read(bytes));
          server.join();
          ends.forEach(SimStream::close);
        });
    assertTrue(simulation.run(2_000_000), "still busy");
    simulation.checkAtRest();
    simulation.closeLoops();
  }

  private static TlsStream client(Credentials kind, SimStream socket) {
    try {
      ClientTls tls = kind.client();
      return TlsStream.client(socket, tls.credentials(), tls.host());
    } catch (TlsException e) {
      throw new AssertionError(e);
    }
  }

  /** Reads up to the end, and then says that it has nothing to say either. */
  private static void take(Credentials kind, SimStream socket) {
    try {
      TlsStream stream = TlsStream.server(socket, kind.server().credentials());
      MemorySegment bytes = Arena.ofAuto().allocate(64);
      long all = 0;
      for (long got = 1; got > 0; all += got) {
        got = stream.read(bytes);
      }
      assertEquals(64, all);
      stream.sayEnd();
    } catch (TlsException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  @DisplayName("Row 36: who the peer is")
  void identity() {
    assertEquals(
        "Certificate does not match the hostname other.example",
        run(Credentials.X509.server(), Credentials.X509.client("other.example")).client());
    assertEquals(
        "No hostname for certificate validation",
        run(Credentials.X509.server(), Credentials.X509.client(null)).client());
    TlsRun.Outcome denied = run(Credentials.X509.server("CN=other"), Credentials.X509.client());
    assertEquals("TLS x509 authz check for O=Tinamou,CN=client is denied", denied.server());
    assertNotNull(denied.client());
    TlsRun.Outcome allowed =
        run(Credentials.X509.server("O=Tinamou,CN=client"), Credentials.X509.client());
    assertNull(allowed.client());
    assertNull(run(Credentials.PSK.server("alice"), Credentials.PSK.client()).client());
    assertNotNull(run(Credentials.PSK.server("bob"), Credentials.PSK.client()).client());
    assertNotNull(run(Credentials.ANON.server("alice"), Credentials.ANON.client()).client());
  }

  @Test
  @DisplayName("Row 34: neither side goes on in the clear")
  void downgrade() {
    TlsRun.Outcome plainServer = run(null, Credentials.PSK.client());
    assertEquals("Denied by server for option 5 (starttls)", plainServer.client());
    TlsRun.Outcome plainClient = run(Credentials.PSK.server(), null);
    assertEquals("TLS negotiation required before option 7 (go)", plainClient.client());
    assertNotNull(run(Credentials.PSK.server(), Credentials.ANON.client()).client());
    assertNotNull(run(Credentials.X509.server(), Credentials.PSK.client()).client());
  }

  @Test
  @DisplayName(
      "Rows 27 and 34: before TLS nothing is told, and what follows STARTTLS is not looked at")
  void optionsInTheClear() {
    ByteBuffer script = ByteBuffer.allocate(4096);
    script.putInt(Nbd.FIXED_NEWSTYLE | Nbd.NO_ZEROES);
    for (int option : List.of(Nbd.OPT_LIST, Nbd.OPT_STRUCTURED_REPLY, 99)) {
      script.putLong(Nbd.OPTION_MAGIC).putInt(option).putInt(0);
    }
    script.putLong(Nbd.OPTION_MAGIC).putInt(Nbd.OPT_STARTTLS).putInt(0);
    script.putLong(Nbd.OPTION_MAGIC).putInt(Nbd.OPT_LIST).putInt(0);
    ByteBuffer answers = ByteBuffer.wrap(plain(script.flip()));
    answers.position(18);
    for (int option : List.of(Nbd.OPT_LIST, Nbd.OPT_STRUCTURED_REPLY, 99)) {
      assertEquals(Nbd.OPTION_REPLY_MAGIC, answers.getLong());
      assertEquals(option, answers.getInt());
      assertEquals(Nbd.REP_ERR_TLS_REQD, answers.getInt());
      answers.position(answers.getInt() + answers.position());
    }
    assertEquals(Nbd.OPTION_REPLY_MAGIC, answers.getLong());
    assertEquals(Nbd.OPT_STARTTLS, answers.getInt());
    assertEquals(Nbd.REP_ACK, answers.getInt());
    assertEquals(0, answers.getInt());
    while (answers.remaining() >= 4) {
      assertTrue(answers.getInt(answers.position()) != (int) (Nbd.OPTION_REPLY_MAGIC >>> 32));
      answers.get();
    }
    ByteBuffer huge = ByteBuffer.allocate(64);
    huge.putInt(Nbd.FIXED_NEWSTYLE).putLong(Nbd.OPTION_MAGIC).putInt(Nbd.OPT_STARTTLS).putInt(-1);
    assertEquals(18, plain(huge.flip()).length);
  }

  /** What a server that wants TLS answers to bytes in the clear. */
  private static byte[] plain(ByteBuffer script) {
    Simulation simulation = new Simulation(1, false);
    simulation.calmDown();
    AioContext loop = simulation.newLoop("server");
    byte[][] answers = new byte[1][];
    loop.spawn(
        "plain",
        () -> {
          NbdServer server =
              new NbdServer(
                  loop,
                  ServerOptions.DEFAULT.withTls(Credentials.PSK.server()),
                  NbdServer.Listener.NONE);
          server.add(new MemoryExport(simulation.random().fork(), Session.SIZE_BYTES, false));
          List<SimStream> ends = simulation.network().pair();
          Coroutine connection = server.serve(ends.getLast());
          MemorySegment bytes = Arena.ofAuto().allocate(script.remaining());
          MemorySegment.copy(
              script.array(), 0, bytes, ValueLayout.JAVA_BYTE, 0, script.remaining());
          ends.getFirst().write(bytes);
          MemorySegment reply = Arena.ofAuto().allocate(4096);
          while (ends.getFirst().read(reply) > 0) {
            reply.fill((byte) 0);
          }
          connection.join();
          answers[0] = ends.getLast().written();
          ends.getFirst().close();
          server.stop();
        });
    assertTrue(simulation.run(2_000_000), "still busy");
    simulation.closeLoops();
    return answers[0];
  }
}

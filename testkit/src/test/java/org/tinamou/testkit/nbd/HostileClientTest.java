package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.testkit.net.MemoryExport;
import org.tinamou.testkit.net.SimStream;
import org.tinamou.testkit.sim.Disturbance;
import org.tinamou.testkit.sim.Simulation;

/** What clients send that no honest client would. */
final class HostileClientTest {
  private static final int MAX_ATTEMPTS = 20;
  private static final int HUGE = Nbd.MAX_TRANSFER_BYTES + 1;

  private static Script hello() {
    return new Script().put(3);
  }

  private static Script structured() {
    return hello()
        .option(Nbd.OPT_STRUCTURED_REPLY, "")
        .option(Nbd.OPT_SET_META_CONTEXT, "\0\0\0\0\0\0\0\1\0\0\0\17base:allocation")
        .option(Nbd.OPT_GO, "\0\0\0\0\0\0");
  }

  private static Script many(int requests) {
    Script script = structured();
    for (int i = 0; i < requests; i++) {
      script.request(0, Nbd.CMD_READ, 0, 4096);
    }
    return script;
  }

  private static String name(int length) {
    return ""
        + (char) 0
        + (char) 0
        + (char) (length >> 8)
        + (char) (length & 0x7f)
        + "a".repeat(length);
  }

  private static Arguments row(String what, Script script, String answer, boolean ends) {
    return Arguments.of(what, script, answer, ends);
  }

  static List<Arguments> rows() {
    List<Arguments> all = new ArrayList<>(handshakes());
    all.addAll(requests());
    all.addAll(sequences());
    return all;
  }

  private static List<Arguments> handshakes() {
    return List.of(
        row("client flags", new Script().put(-1), "", true),
        row("option magic", hello().put(1L, 3, 0), "", true),
        row("option too long", hello().put(Nbd.OPTION_MAGIC, 3, HUGE), "", true),
        row("option of 4 GiB", hello().put(Nbd.OPTION_MAGIC, 99, -1), "", true),
        row(
            "unknown option",
            hello().option(99, "x".repeat(1 << 20)),
            "Unsupported option 99",
            false),
        row(
            "long list",
            hello().option(Nbd.OPT_LIST, "abc"),
            "option 'list' has unexpected length",
            false),
        row(
            "name of 4,096",
            hello().option(Nbd.OPT_INFO, name(4096) + "\0\0"),
            "not present",
            false),
        row(
            "short info",
            hello().option(Nbd.OPT_INFO, "\0\0"),
            "Inconsistent lengths in option info",
            false),
        row(
            "name too long for its option",
            hello().option(Nbd.OPT_GO, "\0\0\0\144abc\0\0"),
            "Inconsistent lengths in option go",
            false),
        row(
            "65,535 items",
            hello().option(Nbd.OPT_INFO, "\0\0\0\0\177\177"),
            "Inconsistent lengths in option info",
            false),
        row(
            "contexts without chunks",
            hello().option(Nbd.OPT_SET_META_CONTEXT, "\0\0\0\0\0\0\0\0"),
            "when structured reply is not negotiated",
            false),
        row(
            "name of 4,097",
            hello().option(Nbd.OPT_INFO, name(4097) + "\0\0"),
            "Invalid name length",
            false),
        row(
            "no such export of a long name by go",
            hello().option(Nbd.OPT_GO, name(4096) + "\0\0"),
            "not present",
            false),
        row(
            "contexts of no such export of a long name",
            hello()
                .option(Nbd.OPT_STRUCTURED_REPLY, "")
                .option(Nbd.OPT_SET_META_CONTEXT, name(4096) + "\0\0\0\0"),
            "not present",
            false),
        row(
            "more queries than there are",
            hello()
                .option(Nbd.OPT_STRUCTURED_REPLY, "")
                .option(Nbd.OPT_LIST_META_CONTEXT, "\0\0\0\0\177\177\177\177"),
            "Inconsistent lengths in option list meta context",
            false),
        row(
            "chunks twice",
            hello().option(Nbd.OPT_STRUCTURED_REPLY, "").option(Nbd.OPT_STRUCTURED_REPLY, ""),
            "structured reply already negotiated",
            false),
        row("a request before an export", hello().request(0, Nbd.CMD_READ, 0, 512), "", true),
        row("an option before the flags", new Script().option(Nbd.OPT_LIST, ""), "", true),
        row("TLS", hello().option(Nbd.OPT_STARTTLS, ""), "TLS not configured", false),
        row("no such export by name", hello().option(Nbd.OPT_EXPORT_NAME, "nope"), "", true));
  }

  private static List<Arguments> requests() {
    int size = Session.SIZE_BYTES;
    return List.of(
        row(
            "read too long",
            structured().request(0, Nbd.CMD_READ, 0, HUGE),
            "is larger than max len",
            false),
        row(
            "read at 2^63",
            structured().request(0, Nbd.CMD_READ, Long.MAX_VALUE, 512),
            "operation past EOF",
            false),
        row(
            "read at 2^64",
            structured().request(0, Nbd.CMD_READ, -512, 1024),
            "operation past EOF",
            false),
        row(
            "trim past the end",
            structured().request(0, Nbd.CMD_TRIM, size - 8, -1),
            "operation past EOF",
            false),
        row(
            "zeroes past the end",
            structured().request(0, Nbd.CMD_WRITE_ZEROES, size - 8, -1),
            "operation past EOF",
            false),
        row(
            "status of 4 GiB",
            structured().request(0, Nbd.CMD_BLOCK_STATUS, 0, -1),
            "operation past EOF",
            false),
        row(
            "status of nothing",
            structured().request(0, Nbd.CMD_BLOCK_STATUS, 0, 0),
            "need non-zero length",
            false),
        row(
            "unknown command",
            structured().request(0, 0xffff, 0, 0),
            "invalid request type (65535)",
            false),
        row(
            "unknown flags",
            structured().request(0xffff, Nbd.CMD_READ, 0, 16),
            "unsupported flags for command read",
            false),
        row(
            "request magic",
            structured().put(0x11223344, (short) 0, (short) 0, 77L, 0L, 0),
            "invalid magic (got 0x11223344)",
            true),
        row(
            "write too long",
            structured().request(0, Nbd.CMD_WRITE, 0, HUGE),
            "is larger than max len",
            true));
  }

  private static List<Arguments> sequences() {
    int size = Session.SIZE_BYTES;
    return List.of(
        row(
            "two requests of one cookie",
            structured()
                .request(0, Nbd.CMD_READ, 0, 16)
                .request(0, Nbd.CMD_READ, 0, 16)
                .request(0, Nbd.CMD_READ, Long.MAX_VALUE, 16),
            "operation past EOF",
            false),
        row(
            "leave with requests in flight",
            structured()
                .request(0, Nbd.CMD_READ, 0, 4096)
                .request(0, Nbd.CMD_FLUSH, 0, 0)
                .request(0, Nbd.CMD_DISC, 0, 0),
            "",
            true),
        row(
            "200 requests at once",
            many(200).request(0, Nbd.CMD_READ, Long.MAX_VALUE, 16),
            "operation past EOF",
            false),
        row(
            "cache past the end",
            structured().request(0, Nbd.CMD_CACHE, size - 8, 4096),
            "operation past EOF",
            false),
        row(
            "payload that was not agreed on",
            structured().request(Nbd.FLAG_PAYLOAD_LEN, Nbd.CMD_BLOCK_STATUS, 0, 12),
            "unsupported flags",
            false),
        row("read of nothing", structured().request(0, Nbd.CMD_READ, 0, 0), "", false));
  }

  private static void simulate(Coroutine.Body body, Simulation[] made) {
    for (int attempt = 1; ; attempt++) {
      Simulation simulation = new Simulation(attempt, false);
      simulation.calmDown();
      made[0] = simulation;
      AioContext loop = simulation.newLoop("server");
      loop.spawn("test", body);
      try {
        assertTrue(simulation.run(5_000_000), "still busy");
        simulation.checkAtRest();
        assertEquals(0, simulation.network().openSockets());
        simulation.closeLoops();
        return;
      } catch (Disturbance again) {
        if (attempt == MAX_ATTEMPTS) {
          throw again;
        }
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void isAnswered(String what, Script script, String answer, boolean ends) {
    Simulation[] made = new Simulation[1];
    simulate(
        () -> {
          Simulation simulation = made[0];
          AioContext loop = Coroutine.current().context();
          NbdServer server = Style.STRUCTURED.server(simulation, loop);
          List<SimStream> ends2 = simulation.network().pair();
          SimStream client = ends2.getFirst();
          Coroutine connection = server.serve(ends2.getLast());
          ByteArrayOutputStream got = new ByteArrayOutputStream();
          Coroutine reader = loop.spawn("replies", () -> collect(client, got));
          client.write(Script.memory(script.bytes()));
          loop.sleep(ClockType.REALTIME, 5_000_000_000L);
          assertEquals(ends, connection.isEnded(), what);
          client.shutdown();
          reader.join();
          server.stop();
          client.close();
          String text = got.toString(StandardCharsets.ISO_8859_1);
          assertTrue(text.contains(answer), () -> what + ": " + text);
        },
        made);
  }

  private static void collect(SimStream stream, ByteArrayOutputStream into) {
    MemorySegment buffer = Arena.ofAuto().allocate(4096);
    while (true) {
      long got = stream.read(buffer);
      if (got <= 0) {
        return;
      }
      into.writeBytes(buffer.asSlice(0, got).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  @DisplayName("20,000 lists that nobody reads: the server stops reading, and holds no more")
  void listsThatNobodyReads() {
    Simulation[] made = new Simulation[1];
    simulate(
        () -> {
          Simulation simulation = made[0];
          AioContext loop = Coroutine.current().context();
          NbdServer server = Style.STRUCTURED.server(simulation, loop);
          List<SimStream> ends = simulation.network().pair();
          server.serve(ends.getLast());
          Script script = hello();
          for (int i = 0; i < 20_000; i++) {
            script.option(Nbd.OPT_LIST, "");
          }
          SimStream client = ends.getFirst();
          Coroutine sender = loop.spawn("lists", () -> client.write(Script.memory(script.bytes())));
          loop.sleep(ClockType.REALTIME, 5_000_000_000L);
          assertFalse(sender.isEnded());
          assertTrue(ends.getLast().written().length < 200_000);
          server.stop();
          sender.join();
          client.close();
        },
        made);
  }

  @Test
  @DisplayName("31: readers that never read get only their share; others go on")
  void slowReadersHoldNoMoreThanTheirShare() {
    Simulation[] made = new Simulation[1];
    int bytes = 8 << 20;
    simulate(
        () -> {
          Simulation simulation = made[0];
          AioContext loop = Coroutine.current().context();
          NbdServer server =
              new NbdServer(
                  loop, ServerOptions.DEFAULT.withMemoryBytes(4 << 20), NbdServer.Listener.NONE);
          server.add(new MemoryExport(simulation.random().fork(), bytes, true));
          List<SimStream> slow = new ArrayList<>();
          for (int i = 0; i < 8; i++) {
            List<SimStream> pair = simulation.network().pair();
            slow.add(pair.getFirst());
            server.serve(pair.getLast());
            Script script = structured();
            for (int request = 0; request < 16; request++) {
              script.request(Nbd.FLAG_DF, Nbd.CMD_READ, 0, bytes);
            }
            pair.getFirst().write(Script.memory(script.bytes()));
          }
          loop.sleep(ClockType.REALTIME, 1_000_000_000L);
          assertTrue(server.memoryInUseBytes() <= 4 << 20);
          List<SimStream> pair = simulation.network().pair();
          server.serve(pair.getLast());
          long before = simulation.nowNanos();
          assertEquals(null, new Session(false).run(pair.getFirst()));
          assertTrue(simulation.nowNanos() - before <= 1_000_000_000L, "others wait");
          before = simulation.nowNanos();
          server.stop();
          assertTrue(simulation.nowNanos() - before <= 1_000_000_000L, "N7: it does not stop");
          assertEquals(0, server.memoryInUseBytes());
          slow.forEach(SimStream::close);
        },
        made);
  }

  @Test
  @DisplayName("30: who does not finish its handshake makes room for who does")
  void silentClientsMakeRoom() {
    Simulation[] made = new Simulation[1];
    simulate(
        () -> {
          Simulation simulation = made[0];
          AioContext loop = Coroutine.current().context();
          NbdServer server =
              new NbdServer(
                  loop, ServerOptions.DEFAULT.withMaxConnections(4), NbdServer.Listener.NONE);
          server.add(new MemoryExport(simulation.random().fork(), Session.SIZE_BYTES, true));
          var address = new org.tinamou.aio.SocketAddress.Unix("/flood");
          server.listen(loop.io().sockets().listen(address, 16));
          List<SimStream> silent = new ArrayList<>();
          for (int i = 0; i < 10; i++) {
            silent.add((SimStream) loop.io().sockets().connect(address));
          }
          long before = simulation.nowNanos();
          SimStream good = (SimStream) loop.io().sockets().connect(address);
          assertEquals(null, new Session(false).run(good));
          assertTrue(simulation.nowNanos() - before <= 1_000_000_000L, "it had to wait");
          before = simulation.nowNanos();
          server.stop();
          assertTrue(simulation.nowNanos() - before <= 1_000_000_000L, "N7: it does not stop");
          assertFalse(server.connectionCount() > 0);
          silent.forEach(SimStream::close);
        },
        made);
  }
}

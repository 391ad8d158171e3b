package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.nbd.client.ClientSession;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.testkit.net.Cut;
import org.tinamou.testkit.net.SimStream;
import org.tinamou.testkit.sim.Disturbance;
import org.tinamou.testkit.sim.Simulation;

/** A recorded session is cut off at every byte of either direction, in every way. */
final class NbdCutsTest {
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  private static final int MAX_ATTEMPTS = 20;
  private static final long STOP_NANOS = 1_000_000_000L;

  /** What both sides have sent. */
  private record Recording(byte[] client, byte[] server) {}

  private static Recording record(Style style) {
    Simulation simulation = new Simulation(1, false);
    simulation.calmDown();
    AioContext loop = simulation.newLoop("both");
    byte[][] sent = new byte[2][];
    loop.spawn(
        "record",
        () -> {
          NbdServer server = style.server(simulation, loop);
          List<SimStream> ends = simulation.network().pair();
          if (style == Style.NEWSTYLE) {
            loop.spawn("drain", () -> drain(ends.getLast()));
            ends.getLast().write(memory(newstyle()));
          } else {
            server.serve(ends.getLast());
          }
          assertNull(style.session().run(ends.getFirst()));
          ends.getLast().close();
          server.stop();
          sent[0] = ends.getFirst().written();
          sent[1] = ends.getLast().written();
        });
    finish(simulation);
    return new Recording(sent[0], sent[1]);
  }

  /** What a server says that cannot choose: no server of ours is that old. */
  private static byte[] newstyle() {
    byte[] sevens = new byte[600];
    java.util.Arrays.fill(sevens, (byte) 7);
    return new Script()
        .greeting(0)
        .put((long) Session.SIZE_BYTES, (short) (Nbd.HAS_FLAGS | Nbd.SEND_FLUSH))
        .put(new byte[Nbd.RESERVED_BYTES])
        .simple(1, 0)
        .simple(2, 0, sevens)
        .simple(3, 0)
        .simple(4, 0, new byte[600])
        .bytes();
  }

  private static Recording recorded(Style style) {
    Recording[] made = new Recording[1];
    undisturbed(() -> made[0] = record(style));
    return made[0];
  }

  /** Runs a simulation anew if the virtual machine got in between. */
  private static void undisturbed(Runnable simulation) {
    for (int attempt = 1; ; attempt++) {
      try {
        simulation.run();
        return;
      } catch (Disturbance again) {
        if (attempt == MAX_ATTEMPTS) {
          throw again;
        }
      }
    }
  }

  private static void finish(Simulation simulation) {
    assertTrue(simulation.run(2_000_000), "still busy");
    simulation.checkAtRest();
    assertEquals(0, simulation.network().openSockets());
    simulation.closeLoops();
  }

  @ParameterizedTest
  @EnumSource(Style.class)
  @DisplayName(
      "N8: the client's bytes stop at every offset; the server ends in time and holds nothing")
  void n8_clientStopsAnywhere(Style style) {
    byte[] script = recorded(style).client;
    for (int offset = 0; offset <= script.length; offset++) {
      for (Cut cut : Cut.values()) {
        int at = offset;
        undisturbed(() -> cutClient(style, script, at, cut));
      }
    }
  }

  private static void cutClient(Style style, byte[] script, int offset, Cut cut) {
    Simulation simulation = new Simulation(offset * 3L + cut.ordinal(), false);
    simulation.calmDown();
    AioContext loop = simulation.newLoop("server");
    loop.spawn(
        "cut",
        () -> {
          NbdServer server = style.server(simulation, loop);
          List<SimStream> ends = simulation.network().pair();
          SimStream client = ends.getFirst();
          Coroutine connection = server.serve(ends.getLast());
          client.cutAfter(offset, cut);
          loop.spawn("replies", () -> drain(client));
          client.write(memory(script));
          if (cut == Cut.STALL) {
            loop.sleep(ClockType.REALTIME, PATIENCE_NANOS);
          } else {
            connection.join();
          }
          long before = simulation.nowNanos();
          server.stop();
          assertTrue(simulation.nowNanos() - before <= STOP_NANOS, "the server did not stop");
          assertEquals(0, server.connectionCount());
          assertEquals(0, server.memoryInUseBytes());
          client.close();
        });
    finish(simulation);
  }

  private static MemorySegment memory(byte[] bytes) {
    return bytes.length == 0
        ? MemorySegment.NULL
        : Arena.ofAuto().allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
  }

  private static void drain(SimStream stream) {
    MemorySegment buffer = Arena.ofAuto().allocate(4096);
    while (stream.read(buffer) > 0) {
      // Nobody looks at it.
      buffer.fill((byte) 0);
    }
  }

  @ParameterizedTest
  @EnumSource(Style.class)
  @DisplayName(
      "N8: the server's bytes stop at every offset; the client fails, or is freed by an abort")
  void n8_serverStopsAnywhere(Style style) {
    byte[] script = recorded(style).server;
    for (int offset = 0; offset <= script.length; offset++) {
      for (Cut cut : Cut.values()) {
        int at = offset;
        undisturbed(() -> cutServer(style, script, at, cut));
      }
    }
  }

  private static void cutServer(Style style, byte[] script, int offset, Cut cut) {
    Simulation simulation = new Simulation(offset * 3L + cut.ordinal(), false);
    simulation.calmDown();
    AioContext loop = simulation.newLoop("client");
    loop.spawn(
        "cut",
        () -> {
          List<SimStream> ends = simulation.network().pair();
          SimStream server = ends.getLast();
          server.cutAfter(offset, cut);
          Session session = style.session();
          String[] outcome = new String[1];
          Coroutine client = loop.spawn("client", () -> outcome[0] = session.run(ends.getFirst()));
          loop.spawn("requests", () -> drain(server));
          server.write(memory(script));
          if (cut == Cut.STALL) {
            loop.sleep(ClockType.REALTIME, PATIENCE_NANOS);
            ClientSession open = session.open();
            client.requestCancel();
            if (open != null) {
              open.abort("given up");
            }
          }
          client.join();
          if (offset < script.length) {
            assertNotNull(outcome[0], "at " + offset);
          } else if (cut != Cut.RESET) {
            assertNull(outcome[0]);
          }
          server.close();
        });
    finish(simulation);
  }

  @ParameterizedTest
  @EnumSource(
      value = Style.class,
      names = {"OLDSTYLE", "STRUCTURED", "EXTENDED"})
  @DisplayName("N8: every byte comes on its own, both ways")
  void n8_oneByteAtATime(Style style) {
    for (int i = 0; i < 20; i++) {
      int seed = i;
      undisturbed(() -> drip(style, seed));
    }
  }

  private static void drip(Style style, int seed) {
    Simulation simulation = new Simulation(seed, false);
    simulation.calmDown();
    AioContext loop = simulation.newLoop("both");
    loop.spawn(
        "drip",
        () -> {
          NbdServer server = style.server(simulation, loop);
          List<SimStream> ends = simulation.network().pair();
          ends.forEach(SimStream::drip);
          Coroutine connection = server.serve(ends.getLast());
          assertNull(style.session().run(ends.getFirst()));
          connection.join();
          server.stop();
        });
    finish(simulation);
  }
}

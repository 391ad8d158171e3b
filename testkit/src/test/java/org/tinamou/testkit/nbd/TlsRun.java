package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.nbd.server.ServerTls;
import org.tinamou.testkit.net.MemoryExport;
import org.tinamou.testkit.net.SimStream;
import org.tinamou.testkit.sim.Disturbance;
import org.tinamou.testkit.sim.Simulation;

/** One encrypted connection of a server and a client, after which neither may hold anything. */
final class TlsRun {
  private static final int MAX_ATTEMPTS = 20;
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  private TlsRun() {}

  /** What a server and a client have said of one connection, and how much each of them sent. */
  record Outcome(String server, String client, int serverBytes, int clientBytes) {}

  /** How a connection is disturbed. */
  interface Trouble {
    void make(SimStream client, SimStream server);
  }

  /** Runs a connection, anew if the virtual machine got in between. */
  static Outcome of(long seed, ServerTls server, Session client, Trouble trouble) {
    for (int attempt = 1; ; attempt++) {
      try {
        return simulate(seed, server, client, trouble);
      } catch (Disturbance again) {
        if (attempt == MAX_ATTEMPTS) {
          throw again;
        }
      }
    }
  }

  private static Outcome simulate(
      long seed, ServerTls serverTls, Session session, Trouble trouble) {
    Simulation simulation = new Simulation(seed, false);
    simulation.calmDown();
    AioContext loop = simulation.newLoop("both");
    Outcome[] outcome = new Outcome[1];
    List<String> told = new ArrayList<>();
    NbdServer.Listener listener =
        new NbdServer.Listener() {
          @Override
          public void handshakeFailed(String reason) {
            told.add(reason);
          }
        };
    loop.spawn(
        "session",
        () -> {
          ServerOptions options = ServerOptions.DEFAULT.withTls(serverTls);
          NbdServer server = new NbdServer(loop, options, listener);
          server.add(new MemoryExport(simulation.random().fork(), Session.SIZE_BYTES, false));
          List<SimStream> ends = simulation.network().pair();
          trouble.make(ends.getFirst(), ends.getLast());
          Coroutine connection = server.serve(ends.getLast());
          String[] said = new String[1];
          Coroutine client = loop.spawn("client", () -> said[0] = session.run(ends.getFirst()));
          loop.sleep(ClockType.REALTIME, PATIENCE_NANOS);
          client.requestCancel();
          if (session.open() != null) {
            session.open().abort("given up");
          }
          client.join();
          server.stop();
          connection.join();
          assertEquals(0, server.connectionCount());
          assertEquals(0, server.memoryInUseBytes());
          outcome[0] =
              new Outcome(
                  told.isEmpty() ? null : told.getFirst(),
                  said[0],
                  ends.getLast().written().length,
                  ends.getFirst().written().length);
        });
    assertTrue(simulation.run(2_000_000), "still busy");
    simulation.checkAtRest();
    assertEquals(0, simulation.network().openSockets());
    simulation.closeLoops();
    return outcome[0];
  }
}

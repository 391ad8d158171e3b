package org.tinamou.testkit.monitor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.CoQueue;
import org.tinamou.base.ClockType;
import org.tinamou.monitor.CommandException;
import org.tinamou.monitor.CommandTable;
import org.tinamou.monitor.Monitors;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.testkit.net.SimStream;
import org.tinamou.testkit.sim.Disturbance;
import org.tinamou.testkit.sim.Simulation;

/** A simulated process with monitors and a few commands. */
final class MonitorHost {
  private static final int MAX_ATTEMPTS = 20;

  final Simulation simulation;
  final AioContext loop;
  final Monitors monitors;
  final List<String> carriedOut = new ArrayList<>();
  private final CoQueue gate = new CoQueue("gate");
  private boolean gateOpen;

  private MonitorHost(Simulation simulation, AioContext loop) {
    this.simulation = simulation;
    this.loop = loop;
    CommandTable table = new CommandTable(CommandTable.ArgumentCheck.NONE);
    table
        .add("nothing", (arguments, from) -> new Json.Members())
        .add(
            "echo",
            (arguments, from) -> {
              String text = arguments.string("text");
              carriedOut.add(text);
              arguments.finish();
              return new Json.Text(text);
            })
        .add(
            "slow",
            (arguments, from) -> {
              loop.sleep(ClockType.REALTIME, simulation.random().nextLong(300_000));
              carriedOut.add(arguments.string("text"));
              return new Json.Members();
            })
        .add(
            "wait",
            (arguments, from) -> {
              while (!gateOpen) {
                gate.await();
              }
              return new Json.Members();
            })
        .add(
            "fail",
            (arguments, from) -> {
              throw new CommandException("it failed");
            })
        .add(
            "refuse",
            (arguments, from) -> {
              throw new OptionException("Parameter 'x' is missing", "a hint");
            })
        .addOutOfBand("open-gate", (arguments, from) -> openGate());
    this.monitors = new Monitors(loop, table, new Json.Members().put("package", "test"));
  }

  Json openGate() {
    gateOpen = true;
    gate.wakeAll();
    return new Json.Members();
  }

  /** A new client, already connected. */
  MonitorClient connect(boolean pretty) {
    List<SimStream> pair = simulation.network().pair();
    monitors.startQmp(pair.getLast(), pretty);
    return new MonitorClient(loop, pair.getFirst());
  }

  /** What a run of {@link #simulate} does with the host. */
  @FunctionalInterface
  interface Body {
    void run(MonitorHost host) throws Exception;
  }

  /** Runs the body in a coroutine of a simulated host, and checks that it leaves nothing. */
  static void simulate(long seed, Body body) {
    for (int attempt = 1; ; attempt++) {
      Simulation simulation = new Simulation(seed + 1_000_003L * attempt, false);
      simulation.calmDown();
      AioContext loop = simulation.newLoop("main");
      Callable<Void> run =
          () -> {
            MonitorHost host = new MonitorHost(simulation, loop);
            body.run(host);
            host.monitors.stop();
            assertEquals(0, host.monitors.sessionCount());
            return null;
          };
      AioContext.Forked<Void> forked = loop.fork("test", run);
      loop.spawn("outcome", () -> forked.join());
      try {
        assertTrue(simulation.run(20_000_000), "still busy");
        simulation.checkAtRest();
        assertEquals(0, simulation.network().openSockets(), "sockets left open");
        simulation.closeLoops();
        return;
      } catch (Disturbance again) {
        if (attempt == MAX_ATTEMPTS) {
          throw again;
        }
      }
    }
  }
}

package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.SocketAddress;
import org.tinamou.base.ClockType;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.nbd.server.NbdExport;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.qapi.Json;
import org.tinamou.testkit.net.MemoryExport;
import org.tinamou.testkit.sim.Simulation;

/** Requests to a server that does not answer end when whoever made them waits for it no longer. */
final class NbdGiveUpTest {
  private static final SocketAddress ADDRESS = new SocketAddress.Unix("/silent");
  private static final long LONG_NANOS = 5_000_000_000L;

  private enum State {
    REQUEST_UNDER_WAY,
    SLEEPING_BEFORE_RECONNECT
  }

  private final Simulation simulation = new Simulation(1, false);
  private final AioContext main = simulation.newLoop("main");
  private boolean silent;

  @ParameterizedTest
  @EnumSource(State.class)
  void requestsFailAtOnceAndSoDoLaterOnes(State state) {
    simulation.calmDown();
    boolean[] done = new boolean[1];
    main.spawn(
        "control",
        () -> {
          control(state);
          done[0] = true;
        });
    assertTrue(simulation.run(1_000_000), "still busy");
    assertTrue(done[0]);
    simulation.checkAtRest();
    assertEquals(0, simulation.network().openSockets());
    simulation.closeLoops();
  }

  private void control(State state) throws BlockException, IOException {
    NbdServer server = new NbdServer(main, ServerOptions.DEFAULT, NbdServer.Listener.NONE);
    server.add(export());
    ListenSocket listening = main.io().sockets().listen(ADDRESS, 16);
    main.spawn("accept", () -> accept(listening, server));
    BlockGraph graph = new BlockGraph(main);
    BlockNode node = open(graph);
    BlockBackend backend = new BlockBackend(graph, "", main, Permission.ALL, Permission.ALL);
    backend.insert(node);
    graph.release(node);
    read(backend);
    silent = true;
    if (state == State.SLEEPING_BEFORE_RECONNECT) {
      listening.close();
      server.stop();
    }
    Coroutine reader =
        main.spawn("reader", () -> assertThrows(BlockException.class, () -> read(backend)));
    main.sleep(ClockType.REALTIME, LONG_NANOS);
    assertFalse(reader.isEnded(), "nothing keeps it");

    BlockDriver.Remote.giveUpBelow(node);
    long before = simulation.nowNanos();
    reader.join();
    assertThrows(BlockException.class, () -> read(backend));
    assertTrue(simulation.nowNanos() - before < LONG_NANOS, "it has gone on waiting");

    silent = false;
    backend.close();
    if (state == State.REQUEST_UNDER_WAY) {
      listening.close();
      server.stop();
    }
  }

  private static void accept(ListenSocket listening, NbdServer server) {
    try {
      while (true) {
        server.serve(listening.accept());
      }
    } catch (ErrnoException closed) {
      listening.close();
    }
  }

  private static void read(BlockBackend backend) throws BlockException {
    backend.read(0, IoVector.of(Arena.ofAuto().allocate(512)), 0);
  }

  private BlockNode open(BlockGraph graph) throws BlockException {
    Json.Members options =
        new Json.Members()
            .put("driver", "nbd")
            .put("server.type", "unix")
            .put("server.path", "/silent")
            .put("reconnect-delay", "100000");
    return new NodeOpener(graph, Drivers.list())
        .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, main);
  }

  /** An export whose reads do not end while it is silent. */
  private NbdExport export() {
    MemoryExport memory = new MemoryExport(simulation.random().fork(), 4096, false);
    return (NbdExport)
        Proxy.newProxyInstance(
            NbdExport.class.getClassLoader(),
            new Class<?>[] {NbdExport.class},
            (self, method, arguments) -> {
              while (silent && method.getName().equals("read")) {
                main.sleep(ClockType.REALTIME, 1_000_000);
              }
              return call(memory, method, arguments);
            });
  }

  private static Object call(MemoryExport memory, Method method, Object[] arguments)
      throws Throwable {
    try {
      return method.invoke(memory, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}

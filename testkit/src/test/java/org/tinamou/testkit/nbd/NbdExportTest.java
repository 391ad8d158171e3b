package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.daemon.export.BlockExport;
import org.tinamou.daemon.export.ExportSettings;
import org.tinamou.drivers.Drivers;
import org.tinamou.nbd.client.ClientSession;
import org.tinamou.nbd.client.HandshakeFailed;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.nbd.wire.SessionEnded;
import org.tinamou.qapi.Json;
import org.tinamou.testkit.net.SimStream;
import org.tinamou.testkit.sim.Disturbance;
import org.tinamou.testkit.sim.Simulation;

/** A node that is shown to clients is drained and moved, and clients come and go. */
final class NbdExportTest {
  private static final int MAX_ATTEMPTS = 20;
  private static final int USERS = 4;
  private static final long SETTLED_NANOS = 2_000_000;

  private Simulation simulation;
  private AioContext main;
  private List<AioContext> loops;
  private AioContext clientLoop;
  private BlockGraph graph;
  private BlockNode node;
  private BlockBackend backend;
  private BlockExport export;
  private NbdServer server;
  private int replies;
  private int cuts;
  private boolean over;

  @BeforeEach
  void forget() {
    replies = 0;
    cuts = 0;
    over = false;
  }

  /** Does something on the main loop, with an export of a slow disk in another loop. */
  private interface Course {
    void run() throws BlockException;
  }

  private void simulate(Course course) {
    for (int attempt = 1; ; attempt++) {
      try {
        forget();
        simulateOnce(attempt, course);
        return;
      } catch (Disturbance again) {
        if (attempt == MAX_ATTEMPTS) {
          throw again;
        }
      }
    }
  }

  private void simulateOnce(int seed, Course course) {
    simulation = new Simulation(seed, false);
    simulation.calmDown();
    main = simulation.newLoop("main");
    loops = List.of(simulation.newLoop("io1"), simulation.newLoop("io2"));
    clientLoop = simulation.newLoop("clients");
    graph = new BlockGraph(main);
    boolean[] ended = new boolean[1];
    main.spawn(
        "test",
        () -> {
          try {
            open();
            course.run();
            server.stop();
            backend.close();
            ended[0] = true;
          } catch (BlockException e) {
            throw new AssertionError(e);
          }
        });
    assertTrue(simulation.run(60_000_000), "still busy");
    assertTrue(ended[0]);
    simulation.checkAtRest();
    assertEquals(0, simulation.network().openSockets());
    assertTrue(graph.nodes().isEmpty());
    simulation.closeLoops();
  }

  private void open() throws BlockException {
    Json.Members options =
        new Json.Members().put("driver", "null-co").put("size", "65536").put("latency-ns", "50000");
    node =
        new NodeOpener(graph, Drivers.list())
            .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, main);
    backend = new BlockBackend(graph, "export", loops.getFirst(), Permission.ALL, Permission.ALL);
    backend.insert(node);
    graph.release(node);
    export = new BlockExport(backend, new ExportSettings("", "", false, true, 0, false, List.of()));
    server = new NbdServer(main, ServerOptions.DEFAULT, NbdServer.Listener.NONE);
    server.add(export);
  }

  /** A client, which reads until it is told to stop or the connection is cut. */
  private Coroutine client(SimStream stream) {
    return clientLoop.spawn(
        "client",
        () -> {
          try {
            ClientSession session = ClientSession.open(stream, "", List.of(), true);
            try {
              IoVector buffer = IoVector.of(Arena.ofAuto().allocate(512));
              while (!over) {
                session.read(0, buffer);
                replies++;
              }
              session.close();
            } finally {
              session.abort("over");
            }
          } catch (SessionEnded | HandshakeFailed cut) {
            cuts++;
          } catch (ErrnoException e) {
            throw new AssertionError(e);
          }
        });
  }

  private SimStream connect() {
    List<SimStream> ends = simulation.network().pair();
    server.serve(ends.getLast());
    return ends.getFirst();
  }

  private List<Coroutine> clients() {
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < USERS; i++) {
      users.add(client(connect()));
    }
    return users;
  }

  private void settle() {
    main.sleep(ClockType.REALTIME, SETTLED_NANOS);
  }

  @Test
  @DisplayName("N5, S23: nothing is answered while the node is drained, and all of it afterwards")
  void nobodyIsServedWhileTheNodeIsDrained() {
    simulate(
        () -> {
          List<Coroutine> users = clients();
          for (int i = 0; i < 200; i++) {
            main.sleep(ClockType.REALTIME, simulation.random().nextLong(1_000_000));
            int before;
            try (DrainedSection _ = node.drain("test")) {
              settle();
              before = replies;
              settle();
              assertEquals(before, replies, "served while drained");
            }
            settle();
            assertTrue(replies > before, "not served afterwards");
          }
          over = true;
          users.forEach(Coroutine::join);
        });
  }

  @Test
  @DisplayName(
      "S23, S27: clients go while the node is drained or moves; the server counts them out")
  void clientsGoWhileTheNodeIsDrainedOrMoves() {
    simulate(
        () -> {
          for (int i = 0; i < 200; i++) {
            List<SimStream> streams = new ArrayList<>();
            List<Coroutine> users = new ArrayList<>();
            for (int user = 0; user < USERS; user++) {
              streams.add(connect());
              users.add(client(streams.getLast()));
            }
            main.sleep(ClockType.REALTIME, simulation.random().nextLong(2_000_000));
            if (i % 2 == 0) {
              try (DrainedSection _ = node.drain("test")) {
                streams.forEach(SimStream::reset);
                main.sleep(ClockType.REALTIME, simulation.random().nextLong(500_000));
              }
            } else {
              streams.subList(0, USERS / 2).forEach(SimStream::reset);
              backend.moveToContext(loops.get(i / 2 % 2));
              server.moved(export);
              streams.forEach(SimStream::reset);
            }
            users.forEach(Coroutine::join);
            settle();
            assertEquals(0, server.connectionCount());
            assertEquals(0, server.memoryInUseBytes());
            assertEquals((i + 1) * USERS, cuts);
          }
        });
  }
}

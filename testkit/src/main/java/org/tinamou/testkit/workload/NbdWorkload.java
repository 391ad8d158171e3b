package org.tinamou.testkit.workload;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.SocketAddress;
import org.tinamou.base.ClockType;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.qapi.Json;
import org.tinamou.testkit.net.MemoryExport;
import org.tinamou.testkit.sim.Simulation;

/**
 * An NBD client node that is moved and drained under load, while connections are cut, and the
 * server goes away and comes back. Everything must end, nothing may stay behind, and data must be
 * what was written.
 */
final class NbdWorkload implements Workload {
  private static final SocketAddress ADDRESS = new SocketAddress.Unix("/sim");
  private static final int PART_BYTES = 4096;
  private static final int USERS = 4;
  private static final long LONGEST_STOP_NANOS = 1_000_000_000L;

  private Simulation simulation;
  private SeededRandom random;
  private AioContext main;
  private AioContext serverLoop;
  private List<AioContext> loops;
  private BlockGraph graph;
  private MemoryExport export;
  private @Nullable NbdServer server;
  private boolean cutting;
  private boolean stopping;
  private Arena arena;

  @SuppressWarnings("NullAway") // everything is made at the start of the run
  NbdWorkload() {}

  @Override
  public void run(Simulation given) {
    simulation = given;
    random = simulation.random().fork();
    main = simulation.newLoop("main");
    serverLoop = simulation.newLoop("server");
    loops = List.of(simulation.newLoop("io1"), simulation.newLoop("io2"));
    graph = new BlockGraph(main);
    export = new MemoryExport(random.fork(), USERS * PART_BYTES, random.nextBoolean());
    cutting = random.nextBoolean();
    arena = Arena.ofAuto();
    main.spawn("control", this::control);
    Workload.runToRest(simulation);
    simulation.require(
        simulation.network().openSockets() == 0,
        "I8",
        simulation.network().openSockets() + " sockets left");
    simulation.require(export.underWay() == 0, "I9", "requests left in the server");
    simulation.closeLoops();
  }

  // ------------------------------------------------------------------------------------- server

  private void startServer() {
    Coroutine starting =
        serverLoop.spawn(
            "start server",
            () -> {
              ServerOptions options = ServerOptions.DEFAULT;
              if (random.chance(1, 8)) {
                options = options.inOldStyle();
              }
              if (random.chance(1, 4)) {
                options = options.withMemoryBytes(1 << 20);
              }
              NbdServer made = new NbdServer(serverLoop, options, NbdServer.Listener.NONE);
              made.add(export);
              try {
                made.listen(serverLoop.io().sockets().listen(ADDRESS, 16));
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
              server = made;
            });
    starting.join();
  }

  private void stopServer() {
    NbdServer running = server;
    if (running == null) {
      return;
    }
    server = null;
    long before = simulation.nowNanos();
    Coroutine ending = serverLoop.spawn("stop server", running::stop);
    ending.join();
    simulation.require(
        running.connectionCount() == 0 && running.memoryInUseBytes() == 0,
        "N8",
        running.connectionCount() + " connections left");
    simulation.require(
        simulation.nowNanos() - before <= LONGEST_STOP_NANOS, "N7", "the server did not stop");
  }

  // ------------------------------------------------------------------------------------- client

  private BlockNode open() throws BlockException {
    Json.Members options =
        new Json.Members()
            .put("driver", "nbd")
            .put("server.type", "unix")
            .put("server.path", "/sim")
            .put("reconnect-delay", cutting ? Integer.toString(random.nextInt(6)) : "0")
            .put("open-timeout", "10")
            .put("connections", Integer.toString(1 + random.nextInt(3)));
    return new NodeOpener(graph, Drivers.list())
        .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, main);
  }

  private void control() throws BlockException {
    startServer();
    BlockNode node = open();
    BlockBackend backend =
        new BlockBackend(graph, "guest", loops.getFirst(), Permission.ALL, Permission.ALL);
    backend.insert(node);
    graph.release(node);
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < USERS; i++) {
      int part = i;
      AioContext loop = loops.get(random.nextInt(loops.size()));
      users.add(loop.spawn("user" + i, () -> use(backend, part, 2 + random.nextInt(8))));
    }
    Coroutine chaos = main.spawn("chaos", this::disturb);
    for (int i = 2 + random.nextInt(8); i > 0; i--) {
      if (random.chance(1, 3)) {
        main.sleep(ClockType.REALTIME, random.nextLong(2_000_000_000L));
      } else {
        main.sleep(ClockType.REALTIME, random.nextLong(500_000));
      }
      long before = simulation.nowNanos();
      if (random.chance(2, 3)) {
        backend.moveToContext(loops.get(i % 2));
        requireSoon(before, "a move");
      } else {
        try (DrainedSection _ = node.drain("workload")) {
          requireSoon(before, "a drain");
          main.sleep(ClockType.REALTIME, random.nextLong(500_000));
        }
      }
    }
    for (Coroutine user : users) {
      user.join();
    }
    stopping = true;
    chaos.join();
    if (random.nextBoolean()) {
      stopServer();
      backend.close();
    } else {
      backend.close();
      stopServer();
    }
    simulation.require(graph.nodes().isEmpty(), "I22", "nodes left: " + graph.nodes());
  }

  /** Nobody who drains waits for a server that is away. */
  private void requireSoon(long sinceNanos, String what) {
    simulation.require(
        simulation.nowNanos() - sinceNanos <= LONGEST_STOP_NANOS, "N1", what + " took too long");
  }

  /** Cuts connections, and lets the server go away for a while. */
  private void disturb() {
    while (cutting && !stopping && !simulation.isCalm()) {
      main.sleep(ClockType.REALTIME, random.nextLong(1_000_000));
      if (random.chance(1, 6)) {
        stopServer();
        main.sleep(
            ClockType.REALTIME, random.nextLong(random.nextBoolean() ? 1_000_000 : 4_000_000_000L));
        startServer();
      } else {
        simulation.network().cutOne();
      }
    }
  }

  /** One user's part of the disk: each round fills it with a value of its own. */
  private void use(BlockBackend backend, int part, int rounds) {
    MemorySegment buffer = arena.allocate(PART_BYTES);
    long offset = (long) part * PART_BYTES;
    BitSet possible = new BitSet();
    possible.set(0);
    for (int i = 1; i <= rounds; i++) {
      int value = 1 + (i - 1) % 100;
      buffer.fill((byte) value);
      possible.set(value);
      try {
        write(backend, offset, buffer, value);
        if (!cutting) {
          possible.clear();
          possible.set(value);
        }
        buffer.fill((byte) 0xee);
        backend.read(offset, IoVector.of(buffer), 0);
        check(buffer, possible);
        if (random.chance(1, 3)) {
          backend.status(offset, PART_BYTES, true);
        }
        if (random.chance(1, 3)) {
          backend.flush();
        }
      } catch (BlockException e) {
        simulation.require(cutting, "I10", "a request failed: " + e.getMessage());
      }
    }
  }

  private void write(BlockBackend backend, long offset, MemorySegment buffer, int value)
      throws BlockException {
    if (random.chance(1, 4)) {
      int half = PART_BYTES / 2;
      backend.write(offset, IoVector.of(buffer.asSlice(0, half)), 0);
      backend.write(offset + half, IoVector.of(buffer.asSlice(half)), 0);
    } else {
      backend.write(offset, IoVector.of(buffer), 0);
    }
    simulation.note("written", "value", value);
  }

  private void check(MemorySegment buffer, BitSet possible) {
    for (int at = 0; at < PART_BYTES; at++) {
      int seen = buffer.get(ValueLayout.JAVA_BYTE, at) & 0xff;
      if (!possible.get(seen)) {
        simulation.require(false, "I10", "byte %d is %d, not of %s".formatted(at, seen, possible));
      }
    }
  }
}

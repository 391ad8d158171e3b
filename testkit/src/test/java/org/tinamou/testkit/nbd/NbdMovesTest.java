package org.tinamou.testkit.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
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
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.nbd.server.NbdServer;
import org.tinamou.nbd.server.ServerOptions;
import org.tinamou.qapi.Json;
import org.tinamou.testkit.net.MemoryExport;
import org.tinamou.testkit.net.SimStream;
import org.tinamou.testkit.sim.Disturbance;
import org.tinamou.testkit.sim.Simulation;

/** A client node goes from one loop to another and back, a thousand times, whatever it is doing. */
final class NbdMovesTest {
  private static final int MOVES = 1000;
  private static final int MAX_ATTEMPTS = 20;
  private static final int USERS = 4;
  private static final int PART_BYTES = 2048;
  private static final long LONGEST_MOVE_NANOS = 1_000_000_000L;
  private static final SocketAddress ADDRESS = new SocketAddress.Unix("/moves");

  /** What the client is doing when it has to move. */
  private enum State {
    IDLE,
    REQUESTS_IN_FLIGHT,
    REPLY_BEING_READ,
    SLEEPING_BEFORE_RECONNECT,
    CONNECTING,
    HANDSHAKING;

    boolean isConnected() {
      return ordinal() <= REPLY_BEING_READ.ordinal();
    }
  }

  private Simulation simulation;
  private AioContext main;
  private AioContext serverLoop;
  private List<AioContext> loops;
  private NbdServer server;
  private ListenSocket listening;
  private final List<SimStream> silent = new ArrayList<>();

  @ParameterizedTest
  @EnumSource(State.class)
  @DisplayName("N1, N2, N4, N6, S25: nobody waits for a lost server, nothing stays in the old loop")
  void movesInEveryState(State state) {
    for (int attempt = 1; ; attempt++) {
      try {
        run(state, attempt);
        return;
      } catch (Disturbance again) {
        if (attempt == MAX_ATTEMPTS) {
          throw again;
        }
      }
    }
  }

  private void run(State state, int seed) {
    simulation = new Simulation(seed, false);
    simulation.calmDown();
    main = simulation.newLoop("main");
    serverLoop = simulation.newLoop("server");
    loops = List.of(simulation.newLoop("io1"), simulation.newLoop("io2"));
    BlockGraph graph = new BlockGraph(main);
    int[] moves = new int[1];
    main.spawn("control", () -> moves[0] = control(state, graph));
    assertTrue(simulation.run(60_000_000), "still busy");
    assertEquals(MOVES, moves[0]);
    simulation.checkAtRest();
    assertEquals(0, simulation.network().openSockets());
    assertTrue(graph.nodes().isEmpty());
    simulation.closeLoops();
  }

  // ------------------------------------------------------------------------------------- server

  private void onServer(Coroutine.Body body) {
    serverLoop.spawn("server", body).join();
  }

  private void startServer(boolean drip) {
    onServer(
        () -> {
          server = new NbdServer(serverLoop, ServerOptions.DEFAULT, NbdServer.Listener.NONE);
          server.add(new MemoryExport(simulation.random().fork(), USERS * PART_BYTES, false));
          listen();
        });
    accept(
        stream -> {
          if (drip) {
            stream.drip();
          }
          server.serve(stream);
        });
  }

  private void listen() {
    try {
      listening = serverLoop.io().sockets().listen(ADDRESS, 16);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private void accept(java.util.function.Consumer<SimStream> taker) {
    ListenSocket from = listening;
    serverLoop.spawn(
        "accept",
        () -> {
          try {
            while (true) {
              taker.accept((SimStream) from.accept());
            }
          } catch (ErrnoException e) {
            from.close();
          }
        });
  }

  private void stopServer() {
    onServer(
        () -> {
          listening.close();
          server.stop();
        });
  }

  // ------------------------------------------------------------------------------------- client

  private BlockNode open(BlockGraph graph) throws BlockException {
    Json.Members options =
        new Json.Members()
            .put("driver", "nbd")
            .put("server.type", "unix")
            .put("server.path", "/moves")
            .put("reconnect-delay", "100000");
    return new NodeOpener(graph, Drivers.list())
        .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, main);
  }

  private int control(State state, BlockGraph graph) {
    try {
      startServer(state == State.REPLY_BEING_READ);
      BlockNode node = open(graph);
      BlockBackend backend =
          new BlockBackend(graph, "guest", loops.getFirst(), Permission.ALL, Permission.ALL);
      backend.insert(node);
      graph.release(node);
      int moves = state.isConnected() ? moveConnected(state, backend) : moveLost(state, backend);
      backend.close();
      stopServer();
      return moves;
    } catch (BlockException e) {
      throw new AssertionError(e);
    }
  }

  private void move(BlockBackend backend, int which) throws BlockException {
    AioContext target = loops.get(which % 2);
    long before = simulation.nowNanos();
    backend.moveToContext(target);
    assertTrue(simulation.nowNanos() - before <= LONGEST_MOVE_NANOS, "the move took too long");
    assertSame(target, backend.context());
  }

  /** Users read and write all the time, and none of them notices. */
  private int moveConnected(State state, BlockBackend backend) throws BlockException {
    boolean[] over = new boolean[1];
    List<Coroutine> users = new ArrayList<>();
    if (state != State.IDLE) {
      for (int i = 0; i < USERS; i++) {
        int part = i;
        users.add(loops.get(i % 2).spawn("user", () -> use(backend, part, over)));
      }
    }
    int moves = 0;
    for (; moves < MOVES; moves++) {
      if (state == State.IDLE) {
        backend.read(0, IoVector.of(Arena.ofAuto().allocate(512)), 0);
      } else {
        main.sleep(ClockType.REALTIME, 1_000 + simulation.random().nextLong(300_000));
      }
      move(backend, moves + 1);
    }
    over[0] = true;
    users.forEach(Coroutine::join);
    return moves;
  }

  private static void use(BlockBackend backend, int part, boolean[] over) {
    MemorySegment buffer = Arena.ofAuto().allocate(PART_BYTES);
    long offset = (long) part * PART_BYTES;
    try {
      for (int i = 1; !over[0]; i++) {
        buffer.fill((byte) i);
        backend.write(offset, IoVector.of(buffer), 0);
        buffer.fill((byte) 0);
        backend.read(offset, IoVector.of(buffer), 0);
        assertEquals((byte) i, buffer.get(ValueLayout.JAVA_BYTE, 0));
        assertEquals((byte) i, buffer.get(ValueLayout.JAVA_BYTE, PART_BYTES - 1));
      }
    } catch (BlockException e) {
      throw new AssertionError(e);
    }
  }

  /** Requests wait for a server that is away, in one way or another, and a move ends their wait. */
  private int moveLost(State state, BlockBackend backend) throws BlockException {
    stopServer();
    if (state == State.HANDSHAKING) {
      onServer(this::listen);
      accept(silent::add);
    }
    simulation.network().setConnectNanos(state == State.CONNECTING ? 20_000_000_000L : 0);
    int moves = 0;
    for (; moves < MOVES; moves++) {
      Coroutine user = loops.get(moves % 2).spawn("user", () -> fail(backend));
      main.sleep(ClockType.REALTIME, 300_000_000L);
      assertTrue(!user.isEnded(), "the request has not waited");
      move(backend, moves + 1);
      user.join();
    }
    simulation.network().setConnectNanos(0);
    if (state == State.HANDSHAKING) {
      assertTrue(silent.size() >= MOVES, "connections: " + silent.size());
      onServer(listening::close);
      silent.forEach(SimStream::close);
    }
    startServer(false);
    backend.read(0, IoVector.of(Arena.ofAuto().allocate(512)), 0);
    return moves;
  }

  private static void fail(BlockBackend backend) {
    try {
      backend.read(0, IoVector.of(Arena.ofAuto().allocate(512)), 0);
    } catch (BlockException expected) {
      return;
    }
    throw new AssertionError("there is no server");
  }
}

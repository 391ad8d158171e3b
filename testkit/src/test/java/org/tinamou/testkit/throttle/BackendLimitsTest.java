package org.tinamou.testkit.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
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
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleLimit;
import org.tinamou.drivers.Drivers;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.testkit.sim.Simulation;

/** Backends with limits of their own: drained, moved and set free while their requests wait. */
final class BackendLimitsTest {
  private static final long MILLISECOND = 1_000_000;
  private static final int REQUESTS = 12;

  private Simulation simulation;
  private AioContext main;
  private AioContext loop;
  private BlockGraph graph;
  private BlockBackend backend;
  private List<Coroutine> requests;
  private int finished;

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 30);
  }

  /** What is done while requests wait. */
  @FunctionalInterface
  private interface Act {
    void run() throws BlockException;
  }

  private void whileRequestsWait(long seed, Act act) {
    simulation = new Simulation(seed, false);
    main = simulation.newLoop("main");
    loop = simulation.newLoop("io");
    try (Arena arena = Arena.ofShared()) {
      main.spawn(
          "control",
          () -> {
            open();
            ThrottleConfig config =
                ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(10));
            backend.limits().keepTo(new ThrottleGroup("g", simulation.clocks(), config));
            submit(arena);
            main.sleep(ClockType.VIRTUAL, 50 * MILLISECOND);
            assertTrue(finished < REQUESTS, "nothing waited");
            act.run();
            requests.forEach(Coroutine::join);
            assertEquals(REQUESTS, finished);
            backend.close();
          });
      assertTrue(simulation.run(1_000_000), "still busy");
      simulation.checkAtRest();
      simulation.closeLoops();
    }
  }

  private void open() throws BlockException {
    graph = new BlockGraph(main);
    NodeOpener opener = new NodeOpener(graph, Drivers.list(new ObjectRegistry(List.of())));
    Json.Members options = new Json.Members().put("driver", "null-co");
    BlockNode node = opener.open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, loop);
    backend = new BlockBackend(graph, "disk", loop, Permission.ALL, Permission.ALL);
    backend.insert(node);
    graph.release(node);
  }

  private void submit(Arena arena) {
    MemorySegment buffer = arena.allocate(512);
    requests = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      boolean write = i % 2 == 0;
      requests.add(
          loop.spawn(
              "request" + i,
              () -> {
                if (write) {
                  backend.write(0, IoVector.of(buffer), 0);
                } else {
                  backend.read(0, IoVector.of(buffer), 0);
                }
                finished++;
              }));
    }
  }

  private long nowMillis() {
    return simulation.clocks().nanos(ClockType.VIRTUAL) / MILLISECOND;
  }

  @ParameterizedTest
  @MethodSource("seeds")
  @DisplayName("a drained section lets requests go that wait for a backend's limits")
  void drain(long seed) {
    whileRequestsWait(
        seed,
        () -> {
          long start = nowMillis();
          BlockNode node = java.util.Objects.requireNonNull(backend.node());
          try (DrainedSection drained = node.drain("test")) {
            assertEquals(0, backend.inFlightCount());
            assertTrue(nowMillis() - start < 10, "the drain waited for the clock");
          }
        });
  }

  @ParameterizedTest
  @MethodSource("seeds")
  @DisplayName("a backend is closed with requests that wait for its limits")
  void j9_closedWhileRequestsWait(long seed) {
    whileRequestsWait(
        seed,
        () -> {
          long start = nowMillis();
          backend.close();
          assertEquals(0, backend.inFlightCount());
          requests.forEach(Coroutine::join);
          assertTrue(nowMillis() - start < 10, "closing waited for the clock");
          assertTrue(graph.nodes().isEmpty(), "the medium is still there");
        });
  }

  @ParameterizedTest
  @MethodSource("seeds")
  @DisplayName("taking a backend's limits away lets everything go")
  void free(long seed) {
    whileRequestsWait(
        seed,
        () -> {
          long start = nowMillis();
          backend.limits().keepTo(null);
          requests.forEach(Coroutine::join);
          assertTrue(nowMillis() - start < 10, "there is still a limit");
        });
  }

  @ParameterizedTest
  @MethodSource("seeds")
  @DisplayName("a backend keeps to its limits in another loop")
  void move(long seed) {
    whileRequestsWait(
        seed,
        () -> {
          backend.moveToContext(main);
          submitInMain();
        });
  }

  /** Two requests more than may go at once take a tenth of a second each. */
  private void submitInMain() throws BlockException {
    long start = nowMillis();
    for (int i = 0; i < 3; i++) {
      backend.flush();
      backend.discard(0, 512);
    }
    assertTrue(nowMillis() - start >= 190, "no limit is left");
  }
}

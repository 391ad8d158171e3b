package org.tinamou.testkit.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
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
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.filter.throttle.ThrottleGroupObject;
import org.tinamou.drivers.filter.throttle.ThrottleGroupType;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.objects.UserObject;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.testkit.sim.Simulation;

/** Throttle nodes in a graph: drained, moved and closed while their requests wait. */
final class ThrottleNodeTest {
  private static final long MILLISECOND = 1_000_000;
  private static final int REQUESTS = 12;

  private Simulation simulation;
  private ObjectRegistry objects;
  private ThrottleGroup group;
  private AioContext main;
  private final List<Long> finishedMillis = new ArrayList<>();

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 50);
  }

  private void start(long seed) {
    simulation = new Simulation(seed, false);
    main = simulation.newLoop("main");
    objects = new ObjectRegistry(List.of(new ThrottleGroupType()));
    Json.Members definition =
        new Json.Members().put("qom-type", "throttle-group").put("id", "g").put("x-iops-total", 10);
    try {
      UserObject object = objects.define(OptionReader.of(definition, OptionReader.Style.TYPED));
      group = ((ThrottleGroupObject) object).group(simulation.clocks());
    } catch (OptionException e) {
      throw new AssertionError(e);
    }
  }

  private void toRest() {
    assertTrue(simulation.run(1_000_000), "still busy");
    simulation.checkAtRest();
    simulation.closeLoops();
  }

  private long nowMillis() {
    return simulation.clocks().nanos(ClockType.VIRTUAL) / MILLISECOND;
  }

  /** A backend on a throttle node on a disk that takes everything. */
  private BlockBackend open(BlockGraph graph, AioContext context) throws BlockException {
    Json.Members options =
        new Json.Members()
            .put("driver", new Json.Text("throttle"))
            .put("throttle-group", new Json.Text("g"))
            .put("file.driver", new Json.Text("null-co"));
    NodeOpener opener = new NodeOpener(graph, Drivers.list(objects));
    BlockNode node = opener.open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, context);
    BlockBackend backend = new BlockBackend(graph, "disk", context, Permission.ALL, Permission.ALL);
    backend.insert(node);
    graph.release(node);
    return backend;
  }

  private List<Coroutine> submit(AioContext loop, BlockBackend backend, Arena arena) {
    MemorySegment buffer = arena.allocate(512);
    List<Coroutine> requests = new ArrayList<>();
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
                finishedMillis.add(nowMillis());
              }));
    }
    return requests;
  }

  private static void joinAll(List<Coroutine> requests) {
    requests.forEach(Coroutine::join);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  @DisplayName("S24 a drained section lets waiting requests go at once")
  void drain(long seed) {
    start(seed);
    AioContext loop = simulation.newLoop("io");
    try (Arena arena = Arena.ofShared()) {
      main.spawn(
          "control",
          () -> {
            BlockGraph graph = new BlockGraph(main);
            BlockBackend backend = open(graph, loop);
            List<Coroutine> requests = submit(loop, backend, arena);
            main.sleep(ClockType.VIRTUAL, 50 * MILLISECOND);
            int before = finishedMillis.size();
            assertTrue(before < REQUESTS, "nothing waited");
            long start = nowMillis();
            try (DrainedSection drained = backend.node().drain("test")) {
              assertEquals(0, backend.node().inFlightCount());
              assertTrue(nowMillis() - start < 10, "the drain waited for the clock");
            }
            joinAll(requests);
            backend.close();
            assertTrue(graph.nodes().isEmpty());
          });
      toRest();
    }
    assertEquals(REQUESTS, finishedMillis.size());
  }

  @ParameterizedTest
  @MethodSource("seeds")
  @DisplayName("S26 a throttled backend moves to another loop with requests waiting")
  void move(long seed) {
    start(seed);
    AioContext from = simulation.newLoop("from");
    AioContext to = simulation.newLoop("to");
    try (Arena arena = Arena.ofShared()) {
      main.spawn(
          "control",
          () -> {
            BlockGraph graph = new BlockGraph(main);
            BlockBackend backend = open(graph, from);
            List<Coroutine> requests = submit(from, backend, arena);
            for (int round = 0; round < 4; round++) {
              main.sleep(ClockType.VIRTUAL, 20 * MILLISECOND);
              requests.addAll(submit(round % 2 == 0 ? to : from, backend, arena));
              backend.moveToContext(round % 2 == 0 ? to : from);
            }
            joinAll(requests);
            backend.close();
            assertTrue(graph.nodes().isEmpty());
          });
      toRest();
    }
    assertEquals(5 * REQUESTS, finishedMillis.size());
  }

  @ParameterizedTest
  @MethodSource("seeds")
  @DisplayName("G10 a move that a second user refuses leaves a throttled node as it was")
  void refusedMove(long seed) {
    start(seed);
    AioContext from = simulation.newLoop("from");
    AioContext to = simulation.newLoop("to");
    try (Arena arena = Arena.ofShared()) {
      main.spawn(
          "control",
          () -> {
            BlockGraph graph = new BlockGraph(main);
            BlockBackend backend = open(graph, from);
            BlockBackend second =
                new BlockBackend(graph, "second", from, Permission.CONSISTENT_READ, Permission.ALL);
            second.insert(backend.node());
            List<Coroutine> requests = submit(from, backend, arena);
            main.sleep(ClockType.VIRTUAL, 20 * MILLISECOND);
            assertThrows(BlockException.class, () -> backend.moveToContext(to));
            assertEquals(from, backend.node().context());
            joinAll(requests);
            assertTrue(finishedMillis.getLast() > 500, "the limits still hold");
            second.close();
            backend.close();
          });
      toRest();
    }
  }

  @Test
  void limitsAreKept() {
    start(1);
    try (Arena arena = Arena.ofShared()) {
      main.spawn(
          "control",
          () -> {
            BlockBackend backend = open(new BlockGraph(main), main);
            joinAll(submit(main, backend, arena));
            backend.close();
          });
      toRest();
    }
    // Two go at once, the others a tenth of a second after one another.
    assertTrue(finishedMillis.getLast() >= 900, finishedMillis::toString);
  }

  @Test
  void anUnknownGroupIsNamed() {
    start(1);
    group = null;
    main.spawn(
        "control",
        () -> {
          BlockGraph graph = new BlockGraph(main);
          Json.Members options =
              new Json.Members()
                  .put("driver", new Json.Text("throttle"))
                  .put("file.driver", new Json.Text("null-co"));
          NodeOpener opener = new NodeOpener(graph, Drivers.list());
          assertEquals(
              "Please specify a throttle group",
              assertThrows(
                      BlockException.class,
                      () ->
                          opener.open(
                              ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, main))
                  .getMessage());
          options.put("throttle-group", new Json.Text("none"));
          assertEquals(
              "Throttle group 'none' does not exist",
              assertThrows(
                      BlockException.class,
                      () ->
                          opener.open(
                              ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, main))
                  .getMessage());
          finishedMillis.add(0L);
        });
    toRest();
    assertEquals(1, finishedMillis.size());
  }
}

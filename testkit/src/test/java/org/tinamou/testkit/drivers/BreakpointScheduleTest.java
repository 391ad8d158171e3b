package org.tinamou.testkit.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.qapi.Json;
import org.tinamou.testkit.sim.Simulation;

/** Requests on one loop that wait at breakpoints until another loop lets them go. */
final class BreakpointScheduleTest {
  private static final int REQUESTS = 5;

  private final List<Integer> ended = new ArrayList<>();

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 100);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void requestsEndInTheOrderInWhichTheyAreLetGo(long seed) {
    Simulation simulation = new Simulation(seed, false);
    AioContext main = simulation.newLoop("main");
    AioContext loop = simulation.newLoop("io");
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(512);
      main.spawn("control", () -> control(main, loop, buffer));
      assertTrue(simulation.run(1_000_000), "still busy");
    }
    simulation.checkAtRest();
    simulation.closeLoops();
    assertEquals(List.of(4, 3, 2, 1, 0), ended);
  }

  private void control(AioContext main, AioContext loop, MemorySegment buffer) throws Exception {
    BlockGraph graph = new BlockGraph(main);
    Json.Members options =
        new Json.Members()
            .put("driver", "raw")
            .put("file.driver", "blkdebug")
            .put("file.image.driver", "null-co");
    BlockNode node =
        new NodeOpener(graph, Drivers.list())
            .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, main);
    BlockBackend backend = new BlockBackend(graph, "", main, Permission.ALL, Permission.ALL);
    backend.insert(node);
    graph.release(node);
    BlockDriver.Breakpoints points = BlockDriver.Breakpoints.below(node);
    List<Coroutine> requests = new ArrayList<>();
    for (int i = 0; i < REQUESTS; i++) {
      int number = i;
      points.addBreakpoint(DebugEvent.READ_AIO, "tag" + i, message -> {});
      requests.add(
          loop.spawn(
              "request" + i,
              () -> {
                backend.read(0, IoVector.of(buffer), 0);
                ended.add(number);
              }));
      points.awaitSuspended("tag" + i);
    }
    Coroutine drain =
        main.spawn(
            "drain",
            () -> {
              try (DrainedSection drained = node.drain("test")) {
                assertEquals(REQUESTS, ended.size(), "a drain waits for what waits");
              }
            });
    for (int i = REQUESTS - 1; i >= 0; i--) {
      assertTrue(points.resume("tag" + i));
      requests.get(i).join();
    }
    drain.join();
    backend.close();
  }
}

package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.GraphAudit;
import org.tinamou.block.Permission;
import org.tinamou.testkit.sim.Simulation;

/**
 * The bug that the rules of this block layer begin with: a node goes from one loop to the other and
 * back, while a callback and a coroutine of it are queued, and users wait for their requests. All
 * of them must end.
 */
final class TouchstoneWorkload implements Workload {
  private static final int PART_BYTES = 512;
  private static final int USERS = 3;

  @Override
  public void run(Simulation simulation) {
    SeededRandom random = simulation.random().fork();
    AioContext main = simulation.newLoop("main");
    List<AioContext> loops = List.of(simulation.newLoop("io1"), simulation.newLoop("io2"));
    BlockGraph graph = new BlockGraph(main);
    simulation.afterEveryStep(
        main,
        () -> {
          List<String> problems = GraphAudit.problems(graph);
          if (!problems.isEmpty()) {
            simulation.require(false, "graph", problems.toString());
          }
        });
    Arena arena = Arena.ofAuto();
    main.spawn("control", () -> control(simulation, random, graph, loops, arena));
    Workload.runToRest(simulation);
    simulation.closeLoops();
  }

  private static void control(
      Simulation simulation,
      SeededRandom random,
      BlockGraph graph,
      List<AioContext> loops,
      Arena arena)
      throws BlockException {
    BlockNode disk =
        graph.open(
            "disk",
            false,
            loops.getFirst(),
            node -> new TouchstoneDriver(simulation, random, node, USERS * PART_BYTES));
    BlockNode top = random.nextBoolean() ? disk : filter(random, graph, disk);
    BlockBackend backend =
        new BlockBackend(graph, "guest", loops.getFirst(), Permission.ALL, Permission.ALL);
    backend.insert(top);
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < USERS; i++) {
      int offset = i * PART_BYTES;
      MemorySegment buffer = arena.allocate(PART_BYTES);
      AioContext loop = loops.get(random.nextInt(loops.size()));
      users.add(
          loop.spawn(
              "user" + i, () -> use(simulation, backend, offset, buffer, 2 + random.nextInt(5))));
    }
    for (int i = 3 + random.nextInt(8); i > 0; i--) {
      backend.moveToContext(loops.get(i % 2));
      for (int turns = random.chance(1, 3) ? random.nextInt(20) : 0; turns > 0; turns--) {
        Coroutine.yieldNow();
      }
    }
    for (Coroutine user : users) {
      user.join();
    }
    backend.close();
    if (top != disk) {
      graph.release(top);
    }
    graph.release(disk);
    simulation.require(graph.nodes().isEmpty(), "I22", "nodes left: " + graph.nodes());
  }

  private static BlockNode filter(SeededRandom random, BlockGraph graph, BlockNode below)
      throws BlockException {
    return graph.open(
        "filter",
        false,
        below.context(),
        node ->
            new PassThroughDriver(
                random,
                node,
                null,
                node.attachChild(
                    "file",
                    Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
                    below,
                    Permission.NONE,
                    Permission.ALL)));
  }

  private static void use(
      Simulation simulation, BlockBackend backend, int offset, MemorySegment buffer, int rounds)
      throws BlockException {
    for (int i = 1; i <= rounds; i++) {
      buffer.fill((byte) i);
      backend.write(offset, IoVector.of(buffer), 0);
      buffer.fill((byte) 0);
      backend.read(offset, IoVector.of(buffer), 0);
      simulation.require(buffer.get(ValueLayout.JAVA_BYTE, 0) == i, "I10", "wrong data");
    }
    backend.flush();
  }
}

package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.GraphAudit;
import org.tinamou.block.GraphDump;
import org.tinamou.block.NodeOptions;
import org.tinamou.testkit.sim.Simulation;
import org.tinamou.testkit.sim.Violation;

/**
 * A workload on one graph: a main program on the main loop, some loops beside it, and an audit of
 * the whole graph after every step.
 */
abstract class GraphProgram implements Workload {
  static final int DISK_BYTES = 12_288;
  static final int USERS = 3;

  private final List<AioContext> loops = new ArrayList<>();
  private @Nullable Simulation simulation;
  private @Nullable BlockGraph graph;
  private @Nullable SeededRandom random;

  /** Builds what the main program needs beside the graph. */
  void prepare() {}

  /** The main program, a coroutine of the main loop; it leaves no node. */
  abstract void control(Arena arena) throws Exception;

  final Simulation simulation() {
    return Objects.requireNonNull(simulation);
  }

  final BlockGraph graph() {
    return Objects.requireNonNull(graph);
  }

  final SeededRandom random() {
    return Objects.requireNonNull(random);
  }

  /** The main loop and the others. */
  final List<AioContext> loops() {
    return loops;
  }

  final AioContext anyLoop() {
    return any(loops);
  }

  final <T> T any(List<T> list) {
    return list.get(random().nextInt(list.size()));
  }

  @Override
  public final void run(Simulation given) {
    simulation = given;
    random = given.random().fork();
    for (int i = 0; i < 1 + given.config().loops(); i++) {
      loops.add(given.newLoop(i == 0 ? "main" : "iothread" + i));
    }
    BlockGraph made = new BlockGraph(loops.getFirst());
    graph = made;
    prepare();
    given.afterEveryStep(made.main(), () -> audit(given, made));
    // Not one that is closed: that stops all threads, once for each seed.
    Arena arena = Arena.ofAuto();
    boolean[] finished = new boolean[1];
    made.main()
        .spawn(
            "control",
            () -> {
              control(arena);
              given.require(made.nodes().isEmpty(), "I22", "nodes left: " + made.nodes());
              given.require(made.openSections().isEmpty(), "I7", "drained sections left open");
              finished[0] = true;
            });
    try {
      Workload.runToRest(given);
    } catch (Violation found) {
      for (String line : GraphDump.text(made).split("\n", -1)) {
        given.note("graph", line, 0);
      }
      throw found;
    }
    given.require(finished[0], "I9", "the main program has not ended");
    given.closeLoops();
  }

  private static void audit(Simulation simulation, BlockGraph graph) {
    List<String> problems = GraphAudit.problems(graph);
    if (!problems.isEmpty()) {
      simulation.require(false, "graph", String.join("; ", problems));
    }
  }

  /** A disk in memory and its node. */
  record Disk(BlockNode node, MemoryDriver driver) {}

  final Disk memory(String name) throws BlockException {
    MemoryDriver[] made = new MemoryDriver[1];
    BlockNode node =
        graph()
            .open(
                name,
                NodeOptions.READ_WRITE.withDiscardUnmap(random().nextBoolean()),
                anyLoop(),
                opening -> made[0] = new MemoryDriver(simulation(), random(), opening, DISK_BYTES));
    return new Disk(node, made[0]);
  }
}

package org.tinamou.testkit.scenario;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.GraphAudit;
import org.tinamou.block.GraphDump;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.testkit.sim.Simulation;

/** A graph on a main loop and two others, and short words for what scenarios do with it. */
public final class Stage {
  private static final int MAX_WAIT_TURNS = 20_000;

  /** Something that is expected to be refused. */
  @FunctionalInterface
  public interface Attempt {
    void run() throws Exception;
  }

  private final Simulation simulation;
  private final Arena arena;
  private final BlockGraph graph;
  private final List<AioContext> loops = new ArrayList<>();
  private final List<BlockNode> nodes = new ArrayList<>();
  private final SeededRandom random;

  Stage(Simulation simulation, Arena arena) {
    this.simulation = simulation;
    this.arena = arena;
    this.random = simulation.random().fork();
    for (String name : List.of("main", "io1", "io2")) {
      loops.add(simulation.newLoop(name));
    }
    this.graph = new BlockGraph(main());
    simulation.afterEveryStep(main(), this::audit);
  }

  private void audit() {
    List<String> problems = GraphAudit.problems(graph);
    simulation.require(problems.isEmpty(), "graph", String.join("; ", problems));
  }

  Simulation simulation() {
    return simulation;
  }

  SeededRandom random() {
    return random;
  }

  BlockGraph graph() {
    return graph;
  }

  AioContext main() {
    return loops.getFirst();
  }

  AioContext io1() {
    return loops.get(1);
  }

  AioContext io2() {
    return loops.get(2);
  }

  AioContext anyLoop() {
    return loops.get(random.nextInt(loops.size()));
  }

  // ---------------------------------------------------------------------------------- building

  /** A disk in memory; its node is {@code node}. */
  StagedDisk disk(String name, AioContext loop) throws BlockException {
    return disk(name, loop, NodeOptions.READ_WRITE.withDiscardUnmap(true));
  }

  StagedDisk disk(String name, AioContext loop, NodeOptions options) throws BlockException {
    StagedDisk[] made = new StagedDisk[1];
    nodes.add(
        graph.open(
            name, options, loop, node -> made[0] = new StagedDisk(simulation, random, node)));
    return made[0];
  }

  /** An image in memory that stands on another one, or on none. */
  StagedImage image(String name, @Nullable BlockNode below) throws BlockException {
    StagedImage[] made = new StagedImage[1];
    nodes.add(
        graph.open(
            name,
            NodeOptions.READ_WRITE.withDiscardUnmap(true),
            anyLoop(),
            node -> {
              if (below != null) {
                node.attachChild(
                    "backing",
                    Set.of(EdgeRole.COPY_ON_WRITE),
                    below,
                    Permission.NONE,
                    Permission.ALL);
              }
              made[0] = new StagedImage(simulation, random, node, StagedDisk.SIZE_BYTES);
              return made[0];
            }));
    return made[0];
  }

  /** A filter in front of a node, of which it knows only that it is its child "file". */
  StagedFilter filter(String name, BlockNode below) throws BlockException {
    return filter(name, below, NodeOptions.READ_WRITE.withDiscardUnmap(true));
  }

  StagedFilter filter(String name, BlockNode below, NodeOptions options) throws BlockException {
    StagedFilter[] made = new StagedFilter[1];
    nodes.add(
        graph.open(
            name,
            options,
            below.context(),
            node -> made[0] = new StagedFilter(random, node, file(node, below))));
    return made[0];
  }

  private static Edge file(BlockNode node, BlockNode below) throws BlockException {
    return node.attachChild(
        "file",
        Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
        below,
        Permission.NONE,
        Permission.ALL);
  }

  /** A user who does everything and lets others do everything. */
  BlockBackend backend(String name, BlockNode node) throws BlockException {
    BlockBackend backend = backend(name, node.context(), Permission.ALL, Permission.ALL);
    backend.insert(node);
    return backend;
  }

  BlockBackend backend(String name, AioContext loop, int permissions, int shared) {
    BlockBackend backend = new BlockBackend(graph, name, loop, permissions, shared);
    backend.setFollowsNode(true);
    return backend;
  }

  /** Gives up the stage's reference. */
  void release(BlockNode node) {
    nodes.remove(node);
    graph.release(node);
  }

  /** Takes everything down that is still there, and looks whether anything is left. */
  void strike() {
    for (BlockBackend backend : graph.backends()) {
      backend.close();
    }
    for (BlockNode node : List.copyOf(nodes).reversed()) {
      release(node);
    }
    require(graph.nodes().isEmpty(), "I22", "nodes left: " + graph.nodes());
    require(graph.openSections().isEmpty(), "I7", "drained sections left: " + this);
  }

  // ----------------------------------------------------------------------------------- playing

  Coroutine spawn(AioContext loop, String name, Coroutine.Body body) {
    return loop.spawn(name, body);
  }

  /** Lets others run until the condition holds. */
  void until(BooleanSupplier condition) {
    for (int turns = 0; !condition.getAsBoolean(); turns++) {
      require(turns < MAX_WAIT_TURNS, "I9", "waited in vain\n" + this);
      Coroutine.yieldNow();
    }
  }

  /** Lets others run for a while. */
  void pause() {
    for (int i = random.nextInt(40); i > 0; i--) {
      Coroutine.yieldNow();
    }
  }

  void require(boolean condition, String invariant, String message) {
    simulation.require(condition, invariant, message);
  }

  /** Fails unless it is refused with that error, and changes nothing. */
  void refused(Errno errno, String message, Attempt attempt) throws Exception {
    String before = shape();
    try {
      attempt.run();
    } catch (BlockException refused) {
      require(
          refused.errno() == errno && String.valueOf(refused.getMessage()).contains(message),
          "I16",
          "refused with " + refused.errno() + ": " + refused.getMessage());
      require(before.equals(shape()), "I16", before + "became\n" + shape());
      return;
    }
    require(false, "I16", "not refused: " + message);
  }

  /** Everything that a refused change must leave alone. */
  String shape() {
    StringBuilder shape = new StringBuilder();
    for (BlockNode node : graph.nodes()) {
      shape.append(node.name()).append(' ').append(node.context().name()).append(' ');
      shape.append(node.options()).append(node.isReadOnly()).append(node.limits()).append('\n');
      for (Edge edge : node.parents()) {
        shape.append("  ").append(edge).append(' ').append(edge.permissions());
        shape.append('/').append(edge.shared()).append('\n');
      }
    }
    return shape.toString();
  }

  void write(BlockBackend backend, long offset, int value) throws BlockException {
    MemorySegment buffer = arena.allocate(512).fill((byte) value);
    backend.write(offset, IoVector.of(buffer), 0);
  }

  byte read(BlockBackend backend, long offset) throws BlockException {
    MemorySegment buffer = arena.allocate(512);
    backend.read(offset, IoVector.of(buffer), 0);
    return buffer.get(ValueLayout.JAVA_BYTE, 0);
  }

  /** Reads and compares. */
  void expect(BlockBackend backend, long offset, int value) throws BlockException {
    byte found = read(backend, offset);
    require(found == (byte) value, "I10", "read %d, expected %d".formatted(found, value));
  }

  /** The error of an attempt, or null. */
  static @Nullable Errno errorOf(Attempt attempt) throws Exception {
    try {
      attempt.run();
      return null;
    } catch (BlockException failed) {
      return failed.errno();
    }
  }

  MemorySegment memory(long bytes) {
    return arena.allocate(bytes);
  }

  @Override
  public String toString() {
    return GraphDump.text(graph);
  }
}

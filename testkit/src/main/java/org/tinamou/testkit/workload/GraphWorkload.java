package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.GraphAudit;
import org.tinamou.block.GraphDump;
import org.tinamou.block.Permission;
import org.tinamou.testkit.sim.Simulation;
import org.tinamou.testkit.sim.Violation;

/**
 * Users read and write their own parts of a few disks, each from loops of its choice, while the
 * main loop drains, moves, stacks filters, takes them out again, ejects and inserts. What was
 * written must be read; the graph must hold together after every step; nothing may happen inside a
 * drained section; everybody finishes.
 */
final class GraphWorkload implements Workload {
  /** Not a multiple of the driver's alignment: neighbours share blocks. */
  private static final int USER_BYTES = 4000;

  private static final int BLOCK_BYTES = 512;
  private static final int DISK_BYTES = 12_288;
  private static final int USERS_PER_DISK = 3;

  private static final class Disk {
    final BlockBackend backend;
    final MemoryDriver driver;
    final BlockNode leaf;
    final List<BlockNode> filters = new ArrayList<>();

    Disk(BlockBackend backend, BlockNode leaf, MemoryDriver driver) {
      this.backend = backend;
      this.leaf = leaf;
      this.driver = driver;
    }

    BlockNode top() {
      return filters.isEmpty() ? leaf : filters.getLast();
    }

    List<BlockNode> nodes() {
      List<BlockNode> all = new ArrayList<>(filters);
      all.add(leaf);
      return all;
    }
  }

  private final List<AioContext> loops = new ArrayList<>();
  private final List<Disk> disks = new ArrayList<>();
  private @Nullable Simulation simulationOrNull;
  private @Nullable BlockGraph graphOrNull;
  private SeededRandom random = new SeededRandom(0);
  private int nextFilter;

  private Simulation simulation() {
    return java.util.Objects.requireNonNull(simulationOrNull);
  }

  private BlockGraph graph() {
    return java.util.Objects.requireNonNull(graphOrNull);
  }

  @Override
  public void run(Simulation simulation) {
    simulationOrNull = simulation;
    random = simulation.random().fork();
    for (int i = 0; i < 1 + simulation.config().loops(); i++) {
      loops.add(simulation.newLoop(i == 0 ? "main" : "iothread" + i));
    }
    BlockGraph graph = new BlockGraph(loops.getFirst());
    graphOrNull = graph;
    simulation.afterEveryStep(graph.main(), this::audit);
    try (Arena arena = Arena.ofShared()) {
      loops.getFirst().spawn("control", () -> control(arena));
      try {
        Workload.runToRest(simulation);
      } catch (Violation found) {
        for (String line : GraphDump.text(graph).split("\n", -1)) {
          simulation.note("graph", line, 0);
        }
        throw found;
      }
    }
    simulation.closeLoops();
  }

  private void audit() {
    List<String> problems = GraphAudit.problems(graph());
    simulation().require(problems.isEmpty(), "graph", String.join("; ", problems));
  }

  private AioContext anyLoop() {
    return loops.get(random.nextInt(loops.size()));
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  /** The main program. */
  private void control(Arena arena) throws Exception {
    int count = 1 + random.nextInt(2);
    for (int i = 0; i < count; i++) {
      disks.add(openDisk(i));
    }
    List<Coroutine> users = new ArrayList<>();
    for (Disk disk : disks) {
      for (int i = 0; i < USERS_PER_DISK; i++) {
        int number = i;
        users.add(anyLoop().spawn("user" + i, () -> new User(disk, number, arena).use()));
      }
    }
    int operations = 3 + random.nextInt(15);
    for (int i = 0; i < operations; i++) {
      operate();
    }
    for (Coroutine user : users) {
      user.join();
    }
    for (Disk disk : disks) {
      disk.backend.close();
      for (BlockNode filter : disk.filters) {
        graph().release(filter);
      }
      graph().release(disk.leaf);
    }
    simulation().require(graph().nodes().isEmpty(), "I22", "nodes left: " + graph().nodes());
    simulation().require(graph().openSections().isEmpty(), "I7", "drained sections left open");
  }

  private Disk openDisk(int number) throws BlockException {
    AioContext loop = anyLoop();
    MemoryDriver[] driver = new MemoryDriver[1];
    BlockNode leaf =
        graph()
            .open(
                "disk" + number,
                false,
                loop,
                node -> driver[0] = new MemoryDriver(simulation(), random, node, DISK_BYTES));
    BlockBackend backend =
        new BlockBackend(graph(), "backend" + number, anyLoop(), Permission.ALL, Permission.ALL);
    backend.setFollowsNode(random.chance(3, 4));
    backend.insert(leaf);
    return new Disk(backend, leaf, driver[0]);
  }

  private void operate() throws Exception {
    Disk disk = any(disks);
    int choice = random.nextInt(9);
    simulation().note("operate", disk.leaf.name(), choice);
    switch (choice) {
      case 0 -> drain(disk, 0);
      case 1 -> drainAll();
      case 2 -> disk.backend.moveToContext(anyLoop());
      case 3 -> moveNode(disk);
      case 4, 5 -> stackFilter(disk);
      case 6 -> unstackFilter(disk);
      case 7 -> refuseConflict(disk);
      default -> {
        for (int i = random.nextInt(20); i > 0; i--) {
          Coroutine.yieldNow();
        }
      }
    }
  }

  private void drain(Disk disk, int depth) throws Exception {
    BlockNode node = any(disk.nodes());
    try (DrainedSection drained = node.drain("test")) {
      checkIdle(disk, node);
      if (depth < 2 && random.chance(1, 3)) {
        drain(any(disks), depth + 1);
      }
      if (random.chance(1, 4)) {
        operate();
      }
    }
  }

  /** Nothing is under way from the node upwards, and if it is the leaf its driver is left alone. */
  private void checkIdle(Disk disk, BlockNode drained) {
    simulation().require(drained.inFlightCount() == 0, "I6", "requests on a drained " + drained);
    for (Edge edge : drained.parents()) {
      if (edge.parent() instanceof BlockNode parent) {
        simulation().require(parent.inFlightCount() == 0, "I6", "requests above " + drained);
      }
    }
    simulation().require(disk.backend.inFlightCount() == 0, "I6", "backend busy above " + drained);
    if (drained == disk.leaf) {
      disk.driver.tripwire = true;
      for (int i = random.nextInt(30); i > 0; i--) {
        Coroutine.yieldNow();
      }
      disk.driver.tripwire = false;
    }
  }

  private void drainAll() {
    try (DrainedSection drained = graph().drainAll("test all")) {
      for (Disk disk : disks) {
        checkIdle(disk, disk.leaf);
      }
    }
  }

  private void moveNode(Disk disk) {
    AioContext target = anyLoop();
    AioContext before = disk.leaf.context();
    try {
      graph().moveToContext(any(disk.nodes()), target);
      simulation().require(disk.leaf.context() == target, "I5", "not everything has moved");
    } catch (BlockException refused) {
      simulation()
          .require(disk.leaf.context() == before, "I16", "a refused move changed something");
    }
  }

  private void stackFilter(Disk disk) throws BlockException {
    BlockNode below = disk.top();
    BlockNode filter =
        graph()
            .open(
                "filter" + nextFilter++,
                false,
                random.nextBoolean() ? below.context() : anyLoop(),
                node ->
                    new PassThroughDriver(
                        random,
                        node.attachChild(
                            "file",
                            Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
                            below,
                            Permission.CONSISTENT_READ,
                            Permission.ALL)));
    disk.filters.add(filter);
    graph().replace(below, filter);
  }

  private void unstackFilter(Disk disk) throws BlockException {
    if (disk.filters.isEmpty()) {
      return;
    }
    int index = random.nextInt(disk.filters.size());
    BlockNode filter = disk.filters.remove(index);
    BlockNode below = index == 0 ? disk.leaf : disk.filters.get(index - 1);
    graph().replace(filter, below);
    graph().release(filter);
  }

  /** Another user of the same node, who cannot bear writers: it is refused, and nothing changes. */
  private void refuseConflict(Disk disk) {
    String before = shape();
    BlockBackend jealous =
        new BlockBackend(
            graph(),
            "jealous",
            disk.backend.context(),
            Permission.CONSISTENT_READ,
            Permission.CONSISTENT_READ);
    try {
      jealous.insert(any(disk.nodes()));
      simulation().require(false, "I15", "a user who shares nothing was let in beside a writer");
    } catch (BlockException expected) {
      simulation().require(before.equals(shape()), "I16", "a refused change left traces");
    } finally {
      jealous.close();
    }
    refuseTightening(disk);
  }

  /** A reader who shares everything, and then wants to share less. */
  private void refuseTightening(Disk disk) {
    BlockBackend reader =
        new BlockBackend(
            graph(), "reader", disk.backend.context(), Permission.CONSISTENT_READ, Permission.ALL);
    reader.setFollowsNode(true);
    try {
      reader.insert(any(disk.nodes()));
    } catch (BlockException refused) {
      reader.close(); // the disk has gone to another loop and does not come back
      return;
    }
    String before = shape();
    try {
      reader.setPermissions(Permission.CONSISTENT_READ, Permission.CONSISTENT_READ);
      simulation().require(false, "I15", "a user who shares nothing stayed beside a writer");
    } catch (BlockException expected) {
      simulation().require(before.equals(shape()), "I16", "a refused change left traces");
    }
    reader.close();
  }

  /** The edges with their permissions. */
  private String shape() {
    StringBuilder shape = new StringBuilder();
    for (BlockNode node : graph().nodes()) {
      for (Edge edge : node.parents()) {
        shape.append(edge).append(' ').append(edge.permissions());
        shape.append('/').append(edge.shared()).append('\n');
      }
    }
    return shape.toString();
  }

  /** A user of one part of one disk, who knows what it has to contain. */
  private final class User {
    private final Disk disk;
    private final int first;
    private final byte[] expected = new byte[USER_BYTES];
    private final boolean[] unknown = new boolean[USER_BYTES];
    private final MemorySegment buffer;
    private byte value;

    User(Disk disk, int number, Arena arena) {
      this.disk = disk;
      this.first = number * USER_BYTES;
      this.buffer = arena.allocate(USER_BYTES);
    }

    void use() throws Exception {
      for (int i = 3 + random.nextInt(12); i > 0; i--) {
        int offset = edge(random.nextInt(USER_BYTES));
        int length = edge(offset + 1 + random.nextInt(USER_BYTES - offset)) - offset;
        if (length <= 0) {
          continue;
        }
        act(offset, length);
        if (random.chance(1, 6)) {
          Coroutine.moveTo(anyLoop());
        }
      }
    }

    /** Often a place at the edge of a block, or one byte beside it. */
    private int edge(int offset) {
      if (random.nextBoolean()) {
        return offset;
      }
      int block = (first + offset) / BLOCK_BYTES * BLOCK_BYTES - first;
      return Math.clamp(block + random.nextInt(3) - 1, 0, USER_BYTES);
    }

    private void act(int offset, int length) {
      switch (random.nextInt(6)) {
        case 0, 1 -> change(offset, length, ++value, false);
        case 2 -> change(offset, length, (byte) 0, true);
        case 3 -> {
          try {
            disk.backend.flush();
          } catch (BlockException injected) {
            simulation().note("flush failed", disk.leaf.name(), 0);
          }
        }
        default -> check(offset, length);
      }
    }

    private void change(int offset, int length, byte with, boolean zero) {
      try {
        if (zero) {
          disk.backend.writeZeroes(first + offset, length, 0);
        } else {
          MemorySegment part = buffer.asSlice(0, length);
          part.fill(with);
          disk.backend.write(first + offset, IoVector.of(part), 0);
        }
        for (int i = offset; i < offset + length; i++) {
          expected[i] = with;
          unknown[i] = false;
        }
      } catch (BlockException injected) {
        for (int i = offset; i < offset + length; i++) {
          unknown[i] = true;
        }
      }
    }

    private void check(int offset, int length) {
      MemorySegment part = buffer.asSlice(0, length);
      try {
        disk.backend.read(first + offset, IoVector.of(part), 0);
      } catch (BlockException injected) {
        return;
      }
      for (int i = 0; i < length; i++) {
        byte seen = part.get(ValueLayout.JAVA_BYTE, i);
        if (!unknown[offset + i] && seen != expected[offset + i]) {
          simulation()
              .require(
                  false,
                  "I10",
                  "byte %d is %d, expected %d"
                      .formatted(first + offset + i, seen, expected[offset + i]));
        }
      }
    }
  }
}

package org.tinamou.testkit.workload;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.base.Errno;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DetectZeroes;
import org.tinamou.block.Edge;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.ReopenChange;
import org.tinamou.testkit.sim.Simulation;

/**
 * Reopens of one disk's nodes: what is accepted is there afterwards, what is refused left no trace.
 */
final class GraphReopens {
  private final Simulation simulation;
  private final SeededRandom random;
  private final BlockGraph graph;
  private final boolean alone;

  /**
   * Reopens in a graph.
   *
   * @param alone whether nobody else changes the graph meanwhile
   */
  GraphReopens(Simulation simulation, SeededRandom random, BlockGraph graph, boolean alone) {
    this.simulation = simulation;
    this.random = random;
    this.graph = graph;
    this.alone = alone;
  }

  void any(GraphDisk disk) {
    switch (random.nextInt(4)) {
      case 0 -> swap(disk);
      case 1 -> refuse(disk);
      default -> options(disk);
    }
  }

  private NodeOptions anyOptions() {
    boolean unmap = random.nextBoolean();
    DetectZeroes[] modes = DetectZeroes.values();
    DetectZeroes mode = modes[random.nextInt(unmap ? modes.length : 2)];
    return NodeOptions.READ_WRITE
        .withDiscardUnmap(unmap)
        .withDetectZeroes(mode)
        .withCacheNoFlush(random.nextBoolean())
        .withAutoReadOnly(random.nextBoolean());
  }

  /** Other options for some of the nodes. The driver at the bottom may refuse. */
  private void options(GraphDisk disk) {
    options(disk.nodes());
  }

  /** The same for any nodes. */
  void options(List<BlockNode> nodes) {
    List<ReopenChange> changes = new ArrayList<>();
    for (BlockNode node : nodes) {
      if (random.nextBoolean()) {
        changes.add(ReopenChange.of(node, anyOptions()));
      }
    }
    if (reopen(changes, Errno.EACCES)) {
      for (ReopenChange change : changes) {
        simulation.require(
            change.node().options().equals(change.options()), "I16", "options are not there");
      }
    }
  }

  /** Two filters in the middle change places: the one above them and both of them are reopened. */
  private void swap(GraphDisk disk) {
    if (disk.filters.size() < 3) {
      return;
    }
    int index = random.nextInt(disk.filters.size() - 2);
    BlockNode low = disk.filters.get(index);
    BlockNode high = disk.filters.get(index + 1);
    BlockNode above = disk.filters.get(index + 2);
    BlockNode below = index == 0 ? disk.leaf : disk.filters.get(index - 1);
    boolean done =
        reopen(
            List.of(
                ReopenChange.of(above, anyOptions()).withChild("file", low),
                ReopenChange.of(low, anyOptions()).withChild("file", high),
                ReopenChange.of(high, anyOptions()).withChild("file", below)),
            Errno.EACCES);
    simulation.require(done, "I16", "a swap was refused");
    disk.filters.set(index, high);
    disk.filters.set(index + 1, low);
  }

  /** A cycle, or a writer on a read-only node. */
  private void refuse(GraphDisk disk) {
    if (disk.filters.isEmpty() || random.nextBoolean()) {
      BlockNode node = disk.nodes().get(random.nextInt(disk.nodes().size()));
      boolean done =
          reopen(List.of(ReopenChange.of(node, anyOptions().withReadOnly(true))), Errno.EPERM);
      simulation.require(!done, "I15", "a node became read-only under a writer");
      return;
    }
    int index = random.nextInt(disk.filters.size());
    BlockNode low = disk.filters.get(index);
    BlockNode high = disk.filters.get(index + random.nextInt(disk.filters.size() - index));
    boolean done =
        reopen(
            List.of(
                ReopenChange.of(disk.top(), anyOptions()),
                ReopenChange.of(low, anyOptions()).withChild("file", high)),
            Errno.EINVAL);
    simulation.require(!done, "I15", "a node is its own ancestor");
  }

  private boolean reopen(List<ReopenChange> changes, Errno expected) {
    String before = shape(graph);
    try {
      graph.reopen(changes);
      return true;
    } catch (BlockException refused) {
      simulation.note("refused", String.valueOf(refused.getMessage()), 0);
      simulation.require(
          !alone || before.equals(shape(graph)),
          "I16",
          before + " is after a refused reopen " + shape(graph));
      simulation.require(
          refused.errno() == expected
              || refused.errno() == Errno.EACCES
              || refused.errno() == Errno.EIO
              || refused.errno() == Errno.EINVAL,
          "I16",
          "refused with " + refused);
      return false;
    }
  }

  /** Everything that a refused change must leave alone. */
  static String shape(BlockGraph graph) {
    StringBuilder shape = new StringBuilder();
    for (BlockNode node : graph.nodes()) {
      shape.append(node.name()).append(' ').append(node.context().name()).append(' ');
      shape.append(node.options().hashCode()).append(node.isReadOnly()).append('\n');
      for (Edge edge : node.parents()) {
        shape.append(edge).append(' ').append(edge.permissions());
        shape.append('/').append(edge.shared()).append('\n');
      }
    }
    return shape.toString();
  }
}

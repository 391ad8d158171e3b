package org.tinamou.block;

import java.util.List;
import org.tinamou.aio.HomeThread;

/**
 * Nodes on which nothing is under way and nothing new starts, until it is closed. Opened by {@link
 * BlockNode#drain} and {@link BlockGraph#drain}; closing never waits and may be repeated.
 */
public final class DrainedSection implements AutoCloseable {
  private final BlockGraph graph;
  private final List<BlockNode> nodes;
  private final String who;
  private boolean open = true;

  DrainedSection(BlockGraph graph, List<BlockNode> nodes, String who) {
    this.graph = graph;
    this.nodes = nodes;
    this.who = who;
  }

  /** Whether the node is one of those that it was opened for. */
  @HomeThread
  public boolean drains(BlockNode node) {
    return nodes.contains(node);
  }

  List<BlockNode> nodes() {
    return nodes;
  }

  /** Who opened the section, for dumps. */
  public String who() {
    return who;
  }

  /** Lets requests go on. Main loop; never waits. */
  @HomeThread
  @Override
  public void close() {
    graph.checkMain();
    if (open) {
      open = false;
      graph.forget(this);
      for (BlockNode node : nodes.reversed()) {
        node.unquiesceSelf();
      }
    }
  }

  @Override
  public String toString() {
    return "drained section of " + who + ": " + nodes;
  }
}

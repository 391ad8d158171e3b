package org.tinamou.block;

import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;

/** How nodes are called where users are told of them. */
public final class NodeNames {
  private NodeNames() {}

  /** The name of the drive that shows a node, else its own. */
  @HomeThread
  public static String deviceOrNode(BlockNode node) {
    for (Edge edge : node.parents()) {
      if (edge.parent() instanceof BlockBackend backend && !backend.name().isEmpty()) {
        return backend.name();
      }
    }
    return node.name();
  }

  /** The node itself, or what is behind the filters of jobs that nobody has given a name. */
  @AnyThread
  public static BlockNode shown(BlockNode node) {
    BlockNode at = node;
    while (at.name().startsWith("#") && at.driverOrNull() instanceof BlockDriver.Unnoticed filter) {
      BlockNode behind = filter.behind();
      if (behind == null) {
        return at;
      }
      at = behind;
    }
    return at;
  }
}

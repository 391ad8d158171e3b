package org.tinamou.block;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;

/**
 * Keeps nodes from closing for as long as somebody works with them who found them by their names or
 * in a chain: whenever he waits, others may give them up. Main loop.
 */
public final class NodeReferences implements AutoCloseable {
  private final List<BlockNode> nodes = new ArrayList<>();

  private NodeReferences() {}

  /**
   * Keeps nodes; they stay until it is closed.
   *
   * @throws BlockException with ENODEV if one of them is about to close or has closed; then none is
   *     kept
   */
  @HomeThread
  public static NodeReferences take(BlockNode... which) throws BlockException {
    for (BlockNode node : which) {
      if (node.isGone()) {
        throw new BlockException(
            Errno.ENODEV, "Failed to find node with node-name='" + node.name() + "'");
      }
    }
    NodeReferences taken = new NodeReferences();
    for (BlockNode node : which) {
      node.graph().reference(node);
      taken.nodes.add(node);
    }
    return taken;
  }

  /** Gives them up; those that nobody else needs close. Waits. May be repeated. */
  @InCoroutine
  @Override
  public void close() {
    while (!nodes.isEmpty()) {
      BlockNode node = nodes.removeLast();
      node.graph().release(node);
    }
  }
}

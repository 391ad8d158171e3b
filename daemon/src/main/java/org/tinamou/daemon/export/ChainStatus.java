package org.tinamou.daemon.export;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;

/**
 * What a chain of images says about the first bytes of a range.
 *
 * @param lengthBytes how many bytes it is true of
 * @param depth in which layer they are allocated, 1 for the top; 0 for none
 */
record ChainStatus(long lengthBytes, boolean data, boolean zero, int depth) {
  /** Asks the layers from the top down to the one that decides. */
  @InCoroutine
  static ChainStatus of(BlockBackend top, long offsetBytes, long lengthBytes)
      throws BlockException {
    BlockStatus found = top.status(offsetBytes, lengthBytes, true);
    int depth = 1;
    BlockNode node = top.node();
    Edge below = node == null ? null : below(node);
    while (!found.has(BlockStatus.ALLOCATED) && below != null) {
      long total = below.lengthBytes();
      if (offsetBytes >= total) {
        // Short images go on as zeroes, which belong to the layer above.
        return new ChainStatus(found.lengthBytes(), false, true, depth);
      }
      found = below.status(offsetBytes, Math.min(found.lengthBytes(), total - offsetBytes), true);
      depth++;
      below = below(below.child());
    }
    boolean allocated = found.has(BlockStatus.ALLOCATED);
    boolean zero = found.has(BlockStatus.ZERO) || (!allocated && depth > 1);
    return new ChainStatus(
        found.lengthBytes(), found.has(BlockStatus.DATA), zero, allocated ? depth : 0);
  }

  /** The edge to the next layer; filters are none. */
  private static @Nullable Edge below(BlockNode node) {
    Edge edge = Edge.below(node);
    while (edge != null && !edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
      edge = Edge.below(edge.child());
    }
    return edge;
  }
}

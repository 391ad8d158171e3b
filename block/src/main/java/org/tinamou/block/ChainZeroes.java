package org.tinamou.block;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;

/** Whether a range reads as zeroes, asked from a node downwards along what shows through it. */
final class ChainZeroes {
  private ChainZeroes() {}

  /** True only if the nodes know it without reading. What lies beyond the end is zero. */
  @InCoroutine
  static boolean readsAsZeroes(BlockNode node, long offset, long length) throws BlockException {
    long end = Math.min(offset + length, node.lengthBytes());
    for (long at = offset; at < end; ) {
      BlockStatus status = NodeStatus.status(node, at, end - at, true);
      if (!status.has(BlockStatus.ZERO)) {
        Edge below = status.has(BlockStatus.DATA) ? null : below(node);
        if (below == null || !readsAsZeroes(below.child(), at, status.lengthBytes())) {
          return false;
        }
      }
      at += status.lengthBytes();
    }
    return true;
  }

  /** The edge to what shows through where a node has nothing; filters show all of their child. */
  private static @Nullable Edge below(BlockNode node) {
    Edge filtered = null;
    for (Edge edge : node.children()) {
      if (edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
        return edge;
      }
      if (edge.roles().contains(EdgeRole.FILTERED)) {
        filtered = edge;
      }
    }
    return filtered == null ? null : below(filtered.child());
  }
}

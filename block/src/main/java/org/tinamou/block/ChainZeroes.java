package org.tinamou.block;

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
        Edge below = status.has(BlockStatus.DATA) ? null : Edge.below(node);
        if (below == null || !readsAsZeroes(below.child(), at, status.lengthBytes())) {
          return false;
        }
      }
      at += status.lengthBytes();
    }
    return true;
  }
}

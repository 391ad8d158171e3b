package org.tinamou.tools.image;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.open.FileNames;

/** What is known of a range, asked from the top of a backing chain downwards. */
final class ChainExtents {
  private ChainExtents() {}

  /** One layer's answer. */
  static Extent extent(BlockStatus status, int depth) {
    boolean known = status.has(BlockStatus.DATA) || status.has(BlockStatus.ZERO);
    BlockNode file = status.file();
    return new Extent(
        status.lengthBytes(),
        status.has(BlockStatus.DATA),
        status.has(BlockStatus.ZERO),
        known && status.has(BlockStatus.ALLOCATED),
        known && status.has(BlockStatus.OFFSET_VALID) ? status.mappedOffsetBytes() : -1,
        depth,
        known && file != null ? FileNames.of(file) : null);
  }

  /**
   * The answer of the first layer in which the bytes are allocated.
   *
   * @param status what the top says
   */
  @InCoroutine
  static Extent deciding(BlockNode top, BlockStatus status, long offset) throws BlockException {
    BlockStatus found = status;
    int depth = 0;
    Edge below = below(top);
    while (!found.has(BlockStatus.ALLOCATED) && below != null) {
      found = below.status(offset, found.lengthBytes(), true);
      depth++;
      if (offset >= below.lengthBytes()) {
        break;
      }
      below = below(below.child());
    }
    return extent(found, depth);
  }

  /** The answer of the first layer that has one. */
  @InCoroutine
  static Extent known(BlockNode top, BlockStatus status, long offset) throws BlockException {
    BlockStatus found = status;
    int depth = 0;
    Edge below = below(top);
    while (!found.has(BlockStatus.DATA) && !found.has(BlockStatus.ZERO) && below != null) {
      found = below.status(offset, found.lengthBytes(), true);
      depth++;
      below = below(below.child());
    }
    return extent(found, depth);
  }

  /** The edge to the next layer; filters are none. */
  static @Nullable Edge below(BlockNode node) {
    Edge edge = Edge.below(node);
    while (edge != null && !edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
      edge = Edge.below(edge.child());
    }
    return edge;
  }
}

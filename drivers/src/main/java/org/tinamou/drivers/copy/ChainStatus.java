package org.tinamou.drivers.copy;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;

/**
 * What is known of the first bytes of a range, asked of a chain of nodes from the top on.
 *
 * @param lengthBytes how many bytes it is true of
 * @param allocated whether one of the nodes that were asked decides what is read
 * @param zero whether it reads as zeroes
 */
public record ChainStatus(long lengthBytes, boolean allocated, boolean zero) {
  /**
   * Asks.
   *
   * @param base the first node that is not asked; null to ask them all
   */
  @InCoroutine
  public static ChainStatus of(
      Edge top, @Nullable BlockNode base, long offsetBytes, long lengthBytes)
      throws BlockException {
    long length = lengthBytes;
    boolean above = true;
    for (Edge at = top; at != null && at.child() != base; at = Edge.below(at.child())) {
      long size = at.lengthBytes();
      if (offsetBytes >= size) {
        // What a layer further down is too short for is zero, and nothing more is below it.
        return new ChainStatus(length, !above, true);
      }
      BlockStatus status = at.status(offsetBytes, Math.min(length, size - offsetBytes), true);
      length = status.lengthBytes();
      if (status.has(BlockStatus.ALLOCATED) || status.has(BlockStatus.DATA)) {
        return new ChainStatus(length, true, status.has(BlockStatus.ZERO));
      }
      if (status.has(BlockStatus.ZERO)) {
        return new ChainStatus(length, false, true);
      }
      above = false;
    }
    return new ChainStatus(length, false, base == null);
  }
}

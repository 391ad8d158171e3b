package org.tinamou.jobs.mirror;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;

/**
 * What the first bytes of a range are in a chain of images.
 *
 * @param lengthBytes how many bytes it is true of, at least 1
 */
public record ChainStatus(long lengthBytes, Kind kind) {
  /** What they are. */
  public enum Kind {
    /** Some image has data for them. */
    DATA,
    /** Some image says that they are zeroes. */
    ZERO,
    /** No image above the base has anything for them. */
    ABSENT
  }

  /**
   * Asks from a node downwards.
   *
   * @param top the edge to the topmost image
   * @param base the first that is not asked any more; null to ask all
   * @param wantZero whether it is worth some effort to find out that data is zero
   */
  @InCoroutine
  public static ChainStatus of(
      Edge top, @Nullable BlockNode base, long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    long length = lengthBytes;
    for (Edge at = top; at != null && at.child() != base; at = Edge.below(at.child())) {
      BlockStatus status = at.status(offsetBytes, length, wantZero);
      length = Math.min(length, status.lengthBytes());
      boolean allocated = status.has(BlockStatus.ALLOCATED);
      if (status.has(BlockStatus.ZERO) && (allocated || Edge.below(at.child()) != null)) {
        return new ChainStatus(length, Kind.ZERO);
      }
      if (allocated || status.has(BlockStatus.DATA)) {
        return new ChainStatus(length, Kind.DATA);
      }
    }
    return new ChainStatus(length, Kind.ABSENT);
  }
}

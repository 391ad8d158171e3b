package org.tinamou.block;

import org.jspecify.annotations.Nullable;

/** What nodes tell whoever watches over a graph, beside the results of requests. */
public sealed interface NodeEvent {
  /**
   * A child of a quorum failed, or says something else than most.
   *
   * @param operation one of the constants
   * @param error what it failed with, or null
   * @param sectorCount sectors of 512 bytes, as {@code sector}
   */
  record QuorumBad(
      String operation, @Nullable String error, BlockNode child, long sector, long sectorCount)
      implements NodeEvent {
    public static final String READ = "read";
    public static final String WRITE = "write";
    public static final String FLUSH = "flush";
  }

  /** Too few children of a quorum agree. */
  record QuorumFailure(BlockNode node, long sector, long sectorCount) implements NodeEvent {}
}

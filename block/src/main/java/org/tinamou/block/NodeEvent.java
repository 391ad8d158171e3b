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

  /**
   * Damage was met in an image that is in use.
   *
   * @param message in the reference's words
   * @param offsetBytes where in the image's file, or -1
   * @param lengthBytes how much of it, or -1
   * @param fatal whether the image takes no more requests
   */
  record ImageCorrupted(
      BlockNode node, String message, long offsetBytes, long lengthBytes, boolean fatal)
      implements NodeEvent {}

  /** Too few children of a quorum agree. */
  record QuorumFailure(BlockNode node, long sector, long sectorCount) implements NodeEvent {}
}

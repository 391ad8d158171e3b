package org.tinamou.block;

import org.tinamou.base.Check;

/**
 * What a node demands of requests. All in bytes; 0 means no limit. The alignments of requests and
 * memory are powers of two.
 *
 * @param requestAlignmentBytes offsets and lengths of reads and writes are multiples of it
 * @param memoryAlignmentBytes buffers start at multiples of it
 * @param maxTransferBytes the longest read or write
 * @param maxWriteZeroesBytes the longest write-zeroes
 * @param writeZeroesAlignmentBytes ranges the driver can zero without writing buffers
 * @param maxDiscardBytes the longest discard
 * @param discardAlignmentBytes ranges the driver can discard
 */
public record BlockLimits(
    int requestAlignmentBytes,
    int memoryAlignmentBytes,
    long maxTransferBytes,
    long maxWriteZeroesBytes,
    int writeZeroesAlignmentBytes,
    long maxDiscardBytes,
    int discardAlignmentBytes) {

  /** Any byte, any buffer, any length. */
  public static final BlockLimits NONE = new BlockLimits(1, 1, 0, 0, 1, 0, 1);

  public BlockLimits {
    powerOfTwo(requestAlignmentBytes);
    powerOfTwo(memoryAlignmentBytes);
    Check.argument(
        writeZeroesAlignmentBytes > 0 && discardAlignmentBytes > 0, "alignments are positive");
  }

  private static void powerOfTwo(int alignmentBytes) {
    Check.argument(
        alignmentBytes > 0 && Integer.bitCount(alignmentBytes) == 1,
        "an alignment must be a power of two: %s",
        alignmentBytes);
  }

  /** These limits with another alignment of requests. */
  public BlockLimits withRequestAlignment(int bytes) {
    return new BlockLimits(
        bytes,
        memoryAlignmentBytes,
        maxTransferBytes,
        maxWriteZeroesBytes,
        writeZeroesAlignmentBytes,
        maxDiscardBytes,
        discardAlignmentBytes);
  }

  /** What holds for a request that passes through this node and one below with {@code other}. */
  public BlockLimits and(BlockLimits other) {
    return new BlockLimits(
        Math.max(requestAlignmentBytes, other.requestAlignmentBytes),
        Math.max(memoryAlignmentBytes, other.memoryAlignmentBytes),
        lower(maxTransferBytes, other.maxTransferBytes),
        lower(maxWriteZeroesBytes, other.maxWriteZeroesBytes),
        Math.max(writeZeroesAlignmentBytes, other.writeZeroesAlignmentBytes),
        lower(maxDiscardBytes, other.maxDiscardBytes),
        Math.max(discardAlignmentBytes, other.discardAlignmentBytes));
  }

  private static long lower(long a, long b) {
    return a == 0 ? b : b == 0 ? a : Math.min(a, b);
  }
}

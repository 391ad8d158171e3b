package org.tinamou.jobs.chain;

import java.lang.foreign.MemorySegment;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.PageMemory;

/** How the jobs of a chain move data, a piece at a time. */
final class ImageCopies {
  /** The most that is moved at once, and so what a pause or a cancel waits for. */
  static final long PIECE_BYTES = 512 << 10;

  private ImageCopies() {}

  /** What can be done with memory that holds a piece. */
  @FunctionalInterface
  interface WithPiece {
    @InCoroutine
    void run(IoVector piece) throws BlockException;
  }

  /** Lends memory for a piece. */
  @InCoroutine
  static void withPiece(long lengthBytes, WithPiece action) throws BlockException {
    MemorySegment memory = PageMemory.take(lengthBytes);
    try {
      action.run(IoVector.of(memory.asSlice(0, lengthBytes)));
    } finally {
      PageMemory.give(memory);
    }
  }

  /** Has a range read as zeroes, where it does not do so already. */
  @InCoroutine
  static void zero(Edge target, long offsetBytes, long lengthBytes) throws BlockException {
    long end = offsetBytes + lengthBytes;
    for (long at = offsetBytes; at < end; ) {
      BlockStatus there = target.status(at, end - at, true);
      long part = Math.min(there.lengthBytes(), end - at);
      if (!there.has(BlockStatus.ZERO)) {
        target.writeZeroes(at, part, 0);
      }
      at += part;
    }
  }
}

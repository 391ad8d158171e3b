package org.tinamou.jobs.mirror;

import java.lang.foreign.MemorySegment;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.PageMemory;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.copy.ChainStatus;

/** The copies under way, each in a coroutine of the job's loop, which alone touches the counts. */
final class MirrorCopies {
  /** Who wants to know. */
  interface Owner {
    /**
     * A copy has ended.
     *
     * @param bytes how much of it has been copied
     */
    void copyEnded(long bytes);

    /** A read of the source or a write to the target has failed; what was not copied is marked. */
    void copyFailed(boolean isRead, BlockException error);
  }

  private final MirrorTop top;
  private final MirrorTracking tracking;
  private final boolean unmap;
  private final Owner owner;
  private int count;
  private long bytes;

  MirrorCopies(MirrorTop top, MirrorTracking tracking, boolean unmap, Owner owner) {
    this.top = top;
    this.tracking = tracking;
    this.unmap = unmap;
    this.owner = owner;
  }

  int count() {
    return count;
  }

  long bytes() {
    return bytes;
  }

  /** Starts copying a range, which is given back when that has ended. */
  @InCoroutine
  void start(AioContext context, RangeQueue.Place place, long lengthBytes) {
    count++;
    bytes += lengthBytes;
    context.spawn("copy of a mirror", () -> run(place, lengthBytes));
  }

  private void run(RangeQueue.Place place, long lengthBytes) {
    long copied = 0;
    try (place) {
      copied = copy(place.startBytes(), lengthBytes);
    } finally {
      count--;
      bytes -= lengthBytes;
      owner.copyEnded(copied);
    }
  }

  private long copy(long offset, long length) {
    long end = offset + length;
    for (long at = offset; at < end; ) {
      boolean reading = true;
      try {
        ChainStatus status = ChainStatus.of(top.source(), null, at, end - at);
        long part = Math.min(status.lengthBytes(), end - at);
        if (status.allocated() && !status.zero()) {
          part = Math.min(part, MirrorTracking.PIECE_BYTES);
          MemorySegment memory = PageMemory.take(part);
          try {
            IoVector buffer = IoVector.of(memory.asSlice(0, part));
            top.source().read(at, buffer, 0);
            reading = false;
            top.target().write(at, buffer, 0);
          } finally {
            PageMemory.give(memory);
          }
        } else {
          reading = false;
          zero(at, part);
        }
        at += part;
      } catch (BlockException failed) {
        tracking.mark(at, end - at);
        owner.copyFailed(reading, failed);
        return at - offset;
      }
    }
    return length;
  }

  /** Whether the target shows zeroes in a range from now on; if not, a copy is to try again. */
  @InCoroutine
  boolean zeroed(long offset, long length) {
    try {
      zero(offset, length);
      return true;
    } catch (BlockException failed) {
      return false;
    }
  }

  /** Zeroes are not written where the target knows that it has them. */
  private void zero(long offset, long length) throws BlockException {
    for (long at = offset; at < offset + length; ) {
      BlockStatus there = top.target().status(at, offset + length - at, true);
      long part = Math.min(there.lengthBytes(), offset + length - at);
      if (!there.has(BlockStatus.ZERO)) {
        top.target().writeZeroes(at, part, unmap ? RequestFlags.MAY_UNMAP : 0);
      }
      at += part;
    }
  }
}

package org.tinamou.block;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.CoMutex;

/**
 * The last range of data that a driver reported, for callers that ask piece by piece. What is
 * remembered is given up when something in it may become a hole, and an answer that such a change
 * may have overtaken is not remembered. Any loop.
 */
final class StatusCache {
  /** A range of data, mapped as a whole. */
  private record Extent(
      long start, long end, int flags, long mappedOffsetBytes, @Nullable BlockNode file) {}

  /** Held by whoever asks the driver. */
  final CoMutex asking = new CoMutex("block status");

  private final AtomicInteger changesUnderWay = new AtomicInteger();
  private final AtomicLong changesBegun = new AtomicLong();
  private volatile @Nullable Extent extent;

  /** What is known of a range, or null. */
  @Nullable BlockStatus find(long offsetBytes, long lengthBytes) {
    Extent known = extent;
    if (known == null || offsetBytes < known.start || offsetBytes >= known.end) {
      return null;
    }
    long mapped =
        (known.flags & BlockStatus.OFFSET_VALID) == 0
            ? 0
            : known.mappedOffsetBytes + offsetBytes - known.start;
    return new BlockStatus(
        Math.min(lengthBytes, known.end - offsetBytes), known.flags, mapped, known.file);
  }

  /** Before the driver is asked: what {@link #remember} wants to know. */
  long begin() {
    return changesUnderWay.get() == 0 ? changesBegun.get() : -1;
  }

  /** After it has answered. */
  void remember(long begun, long offsetBytes, BlockStatus status) {
    if (begun < 0 || !status.has(BlockStatus.DATA) || status.has(BlockStatus.ZERO)) {
      return;
    }
    Extent found =
        new Extent(
            offsetBytes,
            offsetBytes + status.lengthBytes(),
            status.flags() & ~BlockStatus.END_OF_FILE,
            status.mappedOffsetBytes(),
            status.file());
    extent = found;
    // Looked at after it was put there: a change that begins now finds it.
    if (changesBegun.get() != begun) {
      extent = null;
    }
  }

  /** Zeroes, a discard or a truncate begin. */
  void changeBegins() {
    changesUnderWay.incrementAndGet();
    changesBegun.incrementAndGet();
    extent = null;
  }

  void changeEnds() {
    extent = null;
    changesUnderWay.decrementAndGet();
  }

  /** Everything may be different. */
  void clear() {
    changesBegun.incrementAndGet();
    extent = null;
  }
}

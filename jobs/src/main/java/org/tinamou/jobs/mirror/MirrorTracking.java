package org.tinamou.jobs.mirror;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.PageMemory;
import org.tinamou.block.bitmap.DirtyBitmap;

/**
 * What differs between source and target, and who changes it just now: a bit is set after a write
 * to the source has ended, and cleared before what it stands for is copied.
 */
final class MirrorTracking {
  /** Memory that the two writes of one piece share: a guest may change its own meanwhile. */
  static final int PIECE_BYTES = 1 << 20;

  /** Part of a change. */
  @FunctionalInterface
  interface Change {
    void run() throws BlockException;
  }

  private final DirtyBitmap dirty;
  private final RangeQueue ranges;
  private final AtomicLong activeBytes = new AtomicLong();
  private final Runnable onDirty;
  private final Consumer<BlockException> onTargetError;
  private volatile CopyMode mode;

  /**
   * Nothing differs.
   *
   * @param onDirty runs when something has come to differ; any loop, short
   * @param onTargetError told of writes to the target that failed; any loop, short
   */
  MirrorTracking(
      DirtyBitmap dirty,
      long unitBytes,
      CopyMode mode,
      Runnable onDirty,
      Consumer<BlockException> onTargetError) {
    this.dirty = dirty;
    this.ranges = new RangeQueue(unitBytes);
    this.mode = mode;
    this.onDirty = onDirty;
    this.onTargetError = onTargetError;
  }

  DirtyBitmap dirty() {
    return dirty;
  }

  RangeQueue ranges() {
    return ranges;
  }

  @AnyThread
  CopyMode mode() {
    return mode;
  }

  /** Another mode from the next write on; none is under way. */
  void mode(CopyMode next) {
    mode = next;
  }

  /** Bytes that guests are writing to both sides. */
  @AnyThread
  long activeBytes() {
    return activeBytes.get();
  }

  /** The range differs, or may. */
  @AnyThread
  void mark(long offsetBytes, long lengthBytes) {
    dirty.mark(offsetBytes, lengthBytes);
    onDirty.run();
  }

  private void changeInBackground(long offsetBytes, long lengthBytes, Change source)
      throws BlockException {
    try {
      source.run();
    } finally {
      mark(offsetBytes, lengthBytes); // also if it failed: part of it may have happened
    }
  }

  /** A guest's change that the copies follow later in every mode. */
  @InCoroutine
  void changeSourceOnly(long offsetBytes, long lengthBytes, Change source) throws BlockException {
    if (mode == CopyMode.BACKGROUND) {
      changeInBackground(offsetBytes, lengthBytes, source);
      return;
    }
    try (RangeQueue.Place place = ranges.enter(offsetBytes, lengthBytes)) {
      changeInBackground(offsetBytes, lengthBytes, source);
    }
  }

  /** A guest's change, made on both sides if the mode says so. */
  @InCoroutine
  void change(long offsetBytes, long lengthBytes, Change source, Change target)
      throws BlockException {
    if (mode == CopyMode.BACKGROUND) {
      changeInBackground(offsetBytes, lengthBytes, source);
      return;
    }
    activeBytes.addAndGet(lengthBytes);
    try (RangeQueue.Place place = ranges.enter(offsetBytes, lengthBytes)) {
      try {
        source.run();
      } catch (BlockException failed) {
        mark(offsetBytes, lengthBytes);
        throw failed;
      }
      dirty.reset(offsetBytes, lengthBytes);
      try {
        target.run();
      } catch (BlockException failed) {
        mark(offsetBytes, lengthBytes);
        onTargetError.accept(failed);
      }
    } finally {
      activeBytes.addAndGet(-lengthBytes);
    }
  }

  @InCoroutine
  void write(MirrorTop top, long offsetBytes, IoVector buffer, int flags) throws BlockException {
    if (mode == CopyMode.BACKGROUND) {
      changeInBackground(
          offsetBytes, buffer.sizeBytes(), () -> top.source().write(offsetBytes, buffer, flags));
      return;
    }
    MemorySegment memory = PageMemory.take(Math.min(buffer.sizeBytes(), PIECE_BYTES));
    try {
      for (long done = 0; done < buffer.sizeBytes(); done += PIECE_BYTES) {
        long length = Math.min(PIECE_BYTES, buffer.sizeBytes() - done);
        long at = offsetBytes + done;
        copy(buffer.slice(done, length), memory);
        IoVector piece = IoVector.of(memory.asSlice(0, length));
        change(
            at,
            length,
            () -> top.source().write(at, piece, flags),
            () -> top.target().write(at, piece, flags));
      }
    } finally {
      PageMemory.give(memory);
    }
  }

  private static void copy(IoVector from, MemorySegment to) {
    long at = 0;
    for (MemorySegment segment : from.segments()) {
      MemorySegment.copy(segment, 0, to, at, segment.byteSize());
      at += segment.byteSize();
    }
  }
}

package org.tinamou.drivers.copy;

import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.bitmap.DirtyArea;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.copy.BusyRanges.Range;

/**
 * One copy from a node to another, cluster by cluster. What has to be copied yet is in a bitmap;
 * whoever takes an area out of it copies it, and puts it back if that fails. Others who need the
 * area wait for him.
 *
 * <p>The owner of the edges counts the requests: nothing is under way any more when it closes this.
 */
public final class BlockCopy {
  /** Pieces are at least that large, however small the target's clusters are. */
  public static final long MIN_CLUSTER_BYTES = 64 << 10;

  private static final long MAX_BUFFER_BYTES = 1 << 20;
  private static final long MAX_RANGE_BYTES = 16 << 20;

  /**
   * How to copy.
   *
   * @param clusterBytes what is copied at once at least, a power of two
   * @param compress whether the target compresses
   * @param serialise whether writes to the target keep off those who read it: needed if the target
   *     shows the source where it has nothing of its own
   * @param useCopyRange whether to try copies below the level of buffers
   * @param discardSource whether the source forgets what has been copied
   */
  public record Settings(
      long clusterBytes,
      boolean compress,
      boolean serialise,
      boolean useCopyRange,
      boolean discardSource) {}

  private final Edge source;
  private final Edge target;
  private final DirtyBitmap pending;
  private final BusyRanges busy = new BusyRanges();
  private final CopyBuffers buffers;
  private final Settings settings;
  private final int writeFlags;
  private volatile boolean usesCopyRange;
  private volatile @Nullable BlockNode skippedBase;
  private volatile LongConsumer onCopied = bytes -> {};

  /**
   * A copy that has everything to do that is dirty in a bitmap.
   *
   * @param pending of the source's size, with the granularity of a cluster; it is this one's to
   *     change
   */
  public BlockCopy(Edge source, Edge target, DirtyBitmap pending, Settings settings) {
    this.source = source;
    this.target = target;
    this.pending = pending;
    this.settings = settings;
    this.buffers = new CopyBuffers(Math.max(MAX_BUFFER_BYTES, settings.clusterBytes()));
    this.writeFlags =
        (settings.serialise() ? RequestFlags.SERIALISING : 0)
            | (settings.compress() ? RequestFlags.COMPRESSED : 0);
    this.usesCopyRange = settings.useCopyRange() && !settings.compress();
  }

  @AnyThread
  public long clusterBytes() {
    return settings.clusterBytes();
  }

  /** What has to be copied yet, what is being copied left out. */
  @AnyThread
  public DirtyBitmap pending() {
    return pending;
  }

  /** Whether ranges are copied below the level of buffers from now on, where that is possible. */
  @AnyThread
  public void useCopyRange(boolean use) {
    usesCopyRange = use && !settings.compress();
  }

  /** Told how many bytes were copied, or turned out to need no copy. Any loop. */
  @AnyThread
  public void onCopied(LongConsumer listener) {
    onCopied = listener;
  }

  /**
   * From now on only what is above a node is copied.
   *
   * @param base the first node below the source that does not count; null to copy everything
   */
  @AnyThread
  public void skipBelow(@Nullable BlockNode base) {
    skippedBase = base;
  }

  // ------------------------------------------------------------------------------------ copying

  /** The start of the cluster that an offset lies in. */
  @AnyThread
  public long clusterStart(long offsetBytes) {
    return offsetBytes & -settings.clusterBytes();
  }

  /** The end of the cluster that the byte before an end lies in, or of the disk. */
  @AnyThread
  public long clusterEnd(long endBytes) {
    return Math.min(
        (endBytes + settings.clusterBytes() - 1) & -settings.clusterBytes(), pending.sizeBytes());
  }

  /**
   * Copies what is pending of a range, and waits for what others copy of it.
   *
   * @param stopped asked between two pieces: whether nobody is interested any more
   * @return what went wrong; null if all of the range has been copied
   */
  @InCoroutine
  public @Nullable CopyFailure copy(long startBytes, long endBytes, BooleanSupplier stopped) {
    while (!stopped.getAsBoolean()) {
      Range task = take(startBytes, endBytes, Long.MAX_VALUE);
      if (task != null) {
        CopyFailure failure = perform(task);
        if (failure != null) {
          return failure;
        }
      } else if (!awaitAnother(startBytes, endBytes)) {
        return null;
      }
    }
    return null;
  }

  /**
   * Takes the first area of a range that is pending; {@link #perform} has to follow.
   *
   * @param maxBytes the longest, at least a cluster
   */
  @AnyThread
  public @Nullable Range take(long startBytes, long endBytes, long maxBytes) {
    long most = usesCopyRange ? MAX_RANGE_BYTES : MAX_BUFFER_BYTES;
    if (settings.compress()) {
      most = settings.clusterBytes();
    }
    long length = Math.max(settings.clusterBytes(), Math.min(most, maxBytes));
    busy.lock.lock();
    try {
      DirtyArea area = pending.nextDirtyArea(startBytes, endBytes - startBytes, length);
      if (area == null) {
        return null;
      }
      pending.reset(area.offsetBytes(), area.lengthBytes());
      return busy.add(area.offsetBytes(), area.endBytes());
    } finally {
      busy.lock.unlock();
    }
  }

  /**
   * Waits for somebody's copy of a part of the range.
   *
   * @return false if nothing of it is pending nor being copied
   */
  @InCoroutine
  public boolean awaitAnother(long startBytes, long endBytes) {
    Range other;
    busy.lock.lock();
    try {
      if (pending.nextDirty(startBytes, endBytes - startBytes) >= 0) {
        return true;
      }
      other = busy.find(startBytes, endBytes);
    } finally {
      busy.lock.unlock();
    }
    if (other == null) {
      return false;
    }
    busy.await(other);
    return true;
  }

  /** Copies an area that was taken; what is left of it is pending again if that fails. */
  @InCoroutine
  public @Nullable CopyFailure perform(Range task) {
    long at = task.startBytes();
    try {
      while (at < task.endBytes()) {
        Step step = plan(at, task.endBytes());
        CopyFailure failure =
            switch (step.kind()) {
              case SKIP -> null;
              case ZERO -> writeZeroes(at, step.endBytes() - at);
              case COPY -> transfer(at, step.endBytes() - at);
            };
        if (failure != null) {
          return failure;
        }
        at = step.endBytes();
      }
      return null;
    } finally {
      done(task, at);
    }
  }

  private void done(Range task, long reachedBytes) {
    if (reachedBytes < task.endBytes()) {
      busy.lock.lock();
      try {
        pending.mark(reachedBytes, task.endBytes() - reachedBytes);
      } finally {
        busy.lock.unlock();
      }
    }
    onCopied.accept(reachedBytes - task.startBytes());
    busy.remove(task);
  }

  private enum Kind {
    COPY,
    ZERO,
    SKIP
  }

  /** What to do up to some offset. */
  private record Step(long endBytes, Kind kind) {}

  /** Whole clusters are left out or zeroed; of others all is copied. */
  private Step plan(long at, long taskEnd) {
    ChainStatus status = statusOrNull(at, taskEnd - at);
    if (status == null) {
      return new Step(taskEnd, Kind.COPY);
    }
    long cluster = settings.clusterBytes();
    long known = Math.min(taskEnd, at + status.lengthBytes());
    boolean skip = !status.allocated() && skippedBase != null;
    if (!skip && !status.zero()) {
      return new Step(Math.min(taskEnd, clusterEnd(known)), Kind.COPY);
    }
    long whole = known == taskEnd ? taskEnd : known & -cluster;
    return whole > at
        ? new Step(whole, skip ? Kind.SKIP : Kind.ZERO)
        : new Step(Math.min(taskEnd, at + cluster), Kind.COPY);
  }

  /** Not to know is no reason to fail: then it is data. */
  private @Nullable ChainStatus statusOrNull(long offset, long length) {
    try {
      return ChainStatus.of(source, skippedBase, offset, length);
    } catch (BlockException unknown) {
      return null;
    }
  }

  private @Nullable CopyFailure writeZeroes(long offset, long length) {
    try {
      target.writeZeroes(offset, length, writeFlags & ~RequestFlags.COMPRESSED);
      return null;
    } catch (BlockException failed) {
      return new CopyFailure(failed, false);
    }
  }

  private @Nullable CopyFailure transfer(long offset, long length) {
    if (!copyRange(offset, length)) {
      long step = buffers.bufferBytes();
      MemorySegment memory = buffers.take();
      try {
        for (long done = 0; done < length; done += step) {
          long part = Math.min(step, length - done);
          CopyFailure failure = throughBuffer(offset + done, memory.asSlice(0, part));
          if (failure != null) {
            return failure;
          }
        }
      } finally {
        buffers.give(memory);
      }
    }
    if (settings.discardSource()) {
      discardSource(offset, length);
    }
    return null;
  }

  private boolean copyRange(long offset, long length) {
    if (!usesCopyRange) {
      return false;
    }
    boolean copied;
    try {
      copied = source.copyRange(offset, target, offset, length, 0, writeFlags);
    } catch (BlockException failed) {
      copied = false; // whose fault it is shows when it is read and written
    }
    usesCopyRange &= copied;
    return copied;
  }

  private @Nullable CopyFailure throughBuffer(long offset, MemorySegment memory) {
    IoVector vector = IoVector.of(memory);
    try {
      source.read(offset, vector, 0);
    } catch (BlockException failed) {
      return new CopyFailure(failed, true);
    }
    try {
      target.write(offset, vector, writeFlags);
    } catch (BlockException failed) {
      return new CopyFailure(failed, false);
    }
    return null;
  }

  private void discardSource(long offset, long length) {
    try {
      source.discard(offset, length);
    } catch (BlockException ignored) {
      return; // space that stays in use is no failed copy
    }
  }

  // ------------------------------------------------------------------------- what needs no copy

  /** Nobody needs a copy of a range of whole clusters any more. */
  @AnyThread
  public void forget(long startBytes, long endBytes) {
    busy.lock.lock();
    try {
      pending.reset(startBytes, endBytes - startBytes);
    } finally {
      busy.lock.unlock();
    }
  }

  /**
   * Looks whether the source itself has the first clusters of what is behind an offset, and drops
   * them if not.
   *
   * @param base the first node below the source that does not count
   * @return how many bytes it looked at
   */
  @InCoroutine
  public long forgetUnallocated(long offsetBytes, BlockNode base) throws BlockException {
    long cluster = settings.clusterBytes();
    long left = pending.sizeBytes() - offsetBytes;
    ChainStatus status = ChainStatus.of(source, base, offsetBytes, left);
    long length = status.lengthBytes();
    if (status.allocated()) {
      return Math.min(left, (length + cluster - 1) & -cluster);
    }
    if (length < left) {
      length &= -cluster;
    }
    if (length == 0) {
      return Math.min(left, cluster); // partly there is there
    }
    forget(offsetBytes, offsetBytes + length);
    onCopied.accept(0);
    return length;
  }

  /** Frees its memory; nothing is under way. */
  @InCoroutine
  public void close() {
    buffers.close();
  }
}

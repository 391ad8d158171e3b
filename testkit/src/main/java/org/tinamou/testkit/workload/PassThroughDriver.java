package org.tinamou.testkit.workload;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.CopyRange;
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleMember;

/** A filter that changes nothing, and at times lets others run in between. */
final class PassThroughDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.Resizable,
        BlockDriver.RangeCopier,
        BlockDriver.StatusSource,
        BlockDriver.Discarder,
        BlockDriver.Reopenable,
        BlockDriver.Quiescable,
        BlockDriver.ContextBound {
  private final SeededRandom random;
  private final Edge file;
  private final @Nullable ThrottleMember throttle;

  /**
   * In front of an edge.
   *
   * @param group whose limits it keeps to, or null
   */
  PassThroughDriver(SeededRandom random, BlockNode node, @Nullable ThrottleGroup group, Edge file) {
    this.random = random;
    this.file = file;
    this.throttle = group == null ? null : group.join(node.name(), node.context());
    if (throttle != null && node.isQuiesced()) {
      throttle.disableLimits();
    }
  }

  Edge file() {
    return file;
  }

  private void throttle(long bytes, boolean isWrite) throws BlockException {
    if (throttle != null && !throttle.intercept(bytes, isWrite)) {
      throw BlockException.of(Errno.ECANCELED, "throttled request");
    }
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long length, boolean wantZero) {
    pause();
    return new BlockStatus(
        length,
        BlockStatus.RAW | BlockStatus.OFFSET_VALID | BlockStatus.ALLOCATED,
        offsetBytes,
        file.child());
  }

  private void pause() {
    if (random.chance(1, 3)) {
      Coroutine.yieldNow();
    }
  }

  @Override
  public String formatName() {
    return "pass-through";
  }

  @Override
  public long lengthBytes() {
    try {
      return file.lengthBytes();
    } catch (BlockException e) {
      return 0;
    }
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE.withRequestAlignment(file.child().limits().requestAlignmentBytes());
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    throttle(buffer.sizeBytes(), false);
    pause();
    file.read(offsetBytes, buffer, flags);
    pause();
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    throttle(buffer.sizeBytes(), true);
    pause();
    file.write(offsetBytes, buffer, flags);
    pause();
  }

  @Override
  public int writeFlags() {
    return -1;
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    throttle(lengthBytes, true);
    pause();
    return file.writeZeroes(offsetBytes, lengthBytes, flags);
  }

  @Override
  public int zeroFlags() {
    return -1;
  }

  @Override
  public void flush() {
    pause();
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    file.truncate(lengthBytes, exact, preallocation);
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    throttle(lengthBytes, true);
    file.discard(offsetBytes, lengthBytes);
    return true;
  }

  @Override
  public void quiesce() {
    if (throttle != null) {
      throttle.disableLimits();
    }
  }

  @Override
  public void unquiesce() {
    if (throttle != null) {
      throttle.enableLimits();
    }
  }

  @Override
  public void detachFromContext() {
    if (throttle != null) {
      throttle.detachFromContext();
    }
  }

  @Override
  public void attachToContext(AioContext context) {
    if (throttle != null) {
      throttle.attachToContext(context);
    }
  }

  @Override
  public boolean copyRangeFrom(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    pause();
    return copy.from(file, offsetBytes, lengthBytes);
  }

  @Override
  public boolean copyRangeTo(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    pause();
    return copy.to(file, offsetBytes, lengthBytes);
  }

  @Override
  public BlockDriver.PreparedReopen prepareReopen(ReopenChange change) {
    pause();
    return BlockDriver.PreparedReopen.NOTHING;
  }

  @Override
  public void close() {
    if (throttle != null) {
      throttle.leave();
    }
  }
}

package org.tinamou.testkit.scenario;

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
import org.tinamou.block.CopyRange;
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleMember;

/** A filter that changes nothing, lets others run in between, and may be told to throttle. */
final class StagedFilter
    implements BlockDriver.ZeroWriter,
        BlockDriver.Resizable,
        BlockDriver.RangeCopier,
        BlockDriver.Reopenable,
        BlockDriver.Quiescable,
        BlockDriver.ContextBound {
  final BlockNode node;
  final Edge file;

  /** Runs, if it is set, before the filter's reopen is prepared. */
  @Nullable Runnable onReopen;

  private final SeededRandom random;
  private @Nullable ThrottleMember throttle;

  StagedFilter(SeededRandom random, BlockNode node, Edge file) {
    this.random = random;
    this.node = node;
    this.file = file;
  }

  /** From now on. */
  void throttleBy(ThrottleGroup group) {
    throttle = group.join(node.name(), node.context());
  }

  int throttled() {
    ThrottleMember member = throttle;
    return member == null ? 0 : member.waiting(true) + member.waiting(false);
  }

  private void pass(long bytes, boolean isWrite) throws BlockException {
    ThrottleMember member = throttle;
    if (member != null && !member.intercept(bytes, isWrite)) {
      throw BlockException.of(Errno.ECANCELED, "throttled request");
    }
    if (random.chance(1, 3)) {
      Coroutine.yieldNow();
    }
  }

  @Override
  public String formatName() {
    return "staged-filter";
  }

  @Override
  public long lengthBytes() {
    try {
      return file.lengthBytes();
    } catch (BlockException noMedium) {
      return 0;
    }
  }

  @Override
  public BlockLimits limits() {
    return file.child().limits();
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    pass(buffer.sizeBytes(), false);
    file.read(offsetBytes, buffer, flags);
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    pass(buffer.sizeBytes(), true);
    file.write(offsetBytes, buffer, flags);
  }

  @Override
  public int writeFlags() {
    return -1;
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    pass(lengthBytes, true);
    return file.writeZeroes(offsetBytes, lengthBytes, flags);
  }

  @Override
  public int zeroFlags() {
    return -1;
  }

  @Override
  public void flush() {
    Coroutine.yieldNow();
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    file.truncate(lengthBytes, exact, preallocation);
  }

  @Override
  public boolean copyRangeFrom(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    pass(lengthBytes, false);
    return copy.from(file, offsetBytes, lengthBytes);
  }

  @Override
  public boolean copyRangeTo(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    pass(lengthBytes, true);
    return copy.to(file, offsetBytes, lengthBytes);
  }

  @Override
  public BlockDriver.PreparedReopen prepareReopen(ReopenChange change) {
    if (onReopen != null) {
      onReopen.run();
    }
    Coroutine.yieldNow();
    return BlockDriver.PreparedReopen.NOTHING;
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
  public void close() {
    if (throttle != null) {
      throttle.leave();
    }
  }
}

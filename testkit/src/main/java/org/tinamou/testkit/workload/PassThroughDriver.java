package org.tinamou.testkit.workload;

import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.CopyRange;
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;

/** A filter that changes nothing, and at times lets others run in between. */
final class PassThroughDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.Resizable,
        BlockDriver.RangeCopier,
        BlockDriver.Reopenable {
  private final SeededRandom random;
  private final Edge file;

  PassThroughDriver(SeededRandom random, Edge file) {
    this.random = random;
    this.file = file;
  }

  Edge file() {
    return file;
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
    pause();
    file.read(offsetBytes, buffer, flags);
    pause();
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
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
  public void close() {}
}

package org.tinamou.drivers.filter;

import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;

/** Passes everything on to one child: what filters have in common. */
public abstract class FilterDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.Reopenable {
  private final Edge file;

  protected FilterDriver(Edge file) {
    this.file = file;
  }

  /** The child. */
  protected final Edge file() {
    return file;
  }

  @Override
  public long lengthBytes() {
    BlockDriver below = file.child().driverOrNull();
    return below == null ? 0 : below.lengthBytes();
  }

  /** None: the child widens, copies and splits what it has to. */
  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE;
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    file.read(offsetBytes, buffer, flags);
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    file.write(offsetBytes, buffer, flags);
  }

  @Override
  public int writeFlags() {
    return file.writeFlags();
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    return file.writeZeroes(offsetBytes, lengthBytes, flags);
  }

  @Override
  public int zeroFlags() {
    return file.writeFlags();
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    file.discard(offsetBytes, lengthBytes);
    return true;
  }

  /** Nothing: the node flushes its children. */
  @Override
  public void flush() throws BlockException {}

  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    int flags = BlockStatus.RAW | BlockStatus.OFFSET_VALID | BlockStatus.ALLOCATED;
    return new BlockStatus(lengthBytes, flags, offsetBytes, file.child());
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    file.truncate(lengthBytes, exact, preallocation);
  }

  @Override
  public PreparedReopen prepareReopen(ReopenChange change) throws BlockException {
    return PreparedReopen.NOTHING;
  }

  @Override
  public void close() {}
}

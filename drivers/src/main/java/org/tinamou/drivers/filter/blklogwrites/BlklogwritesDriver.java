package org.tinamou.drivers.filter.blklogwrites;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.PreallocationMode;

/**
 * Passes requests on, and writes down in a log what changes the image, in the order in which that
 * ends; what failed is written down as well, since part of it may have been done.
 */
public final class BlklogwritesDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.PermissionMapper {
  private final BlockNode node;
  private final Edge file;
  private final Edge logEdge;
  private final WriteLog log;

  BlklogwritesDriver(BlockNode node, Edge file, Edge logEdge, WriteLog log) {
    this.node = node;
    this.file = file;
    this.logEdge = logEdge;
    this.log = log;
  }

  /** What is done with the image. */
  @FunctionalInterface
  private interface Part {
    void run() throws BlockException;
  }

  @Override
  public String formatName() {
    return "blklogwrites";
  }

  @Override
  public long lengthBytes() {
    BlockDriver below = file.child().driverOrNull();
    return below == null ? 0 : below.lengthBytes();
  }

  /** The log counts in sectors. */
  @Override
  public BlockLimits limits() {
    int sector = log.sectorBytes();
    return new BlockLimits(sector, 1, 0, 0, sector, 0, sector);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    file.read(offsetBytes, buffer, flags);
  }

  @InCoroutine
  private void logged(
      long offsetBytes, long lengthBytes, long flags, @Nullable IoVector data, Part part)
      throws BlockException {
    BlockException failure = null;
    try {
      part.run();
    } catch (BlockException e) {
      failure = e;
    }
    try {
      log.add(offsetBytes, lengthBytes, flags, data);
    } catch (BlockException e) {
      failure = failure == null ? e : failure;
    }
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    long length = buffer.sizeBytes();
    logged(offsetBytes, length, 0, buffer, () -> file.write(offsetBytes, buffer, flags));
  }

  /** None: a write that has to be stable is followed by a flush, and the log tells of both. */
  @Override
  public int writeFlags() {
    return 0;
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    logged(
        offsetBytes, lengthBytes, 0, null, () -> file.writeZeroes(offsetBytes, lengthBytes, flags));
    return true;
  }

  @Override
  public int zeroFlags() {
    return 0;
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    logged(
        offsetBytes,
        lengthBytes,
        WriteLog.DISCARD,
        null,
        () -> file.discard(offsetBytes, lengthBytes));
    return true;
  }

  /** The image first, so that the log does not tell of a flush that is still to come. */
  @Override
  public void flush() throws BlockException {
    logged(0, 0, WriteLog.FLUSH, null, file::flush);
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero) {
    int flags = BlockStatus.RAW | BlockStatus.OFFSET_VALID | BlockStatus.ALLOCATED;
    return new BlockStatus(lengthBytes, flags, offsetBytes, file.child());
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    file.truncate(lengthBytes, exact, preallocation);
  }

  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    if (edge != logEdge) {
      return new PermissionPair(used, shared);
    }
    int writes = node.isReadOnly() ? 0 : Permission.WRITE | Permission.RESIZE;
    return new PermissionPair(
        Permission.CONSISTENT_READ | writes,
        Permission.CONSISTENT_READ | Permission.WRITE_UNCHANGED);
  }

  @Override
  public void close() {
    log.close();
  }
}

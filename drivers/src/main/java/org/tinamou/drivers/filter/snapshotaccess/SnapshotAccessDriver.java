package org.tinamou.drivers.filter.snapshotaccess;

import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;

/**
 * Shows what the child keeps as its snapshot. Reading and forgetting is all that can be done with
 * it. Its own requests count on its node, and whoever drains the child waits for them.
 */
public final class SnapshotAccessDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.NamedAsOther,
        BlockDriver.PermissionMapper {
  private final Edge file;
  private final long lengthBytes;

  SnapshotAccessDriver(Edge file) throws BlockException {
    this.file = file;
    this.lengthBytes = file.lengthBytes();
  }

  private SnapshotSource source() throws BlockException {
    if (file.child().driver() instanceof SnapshotSource source) {
      return source;
    }
    throw BlockException.of(Errno.EOPNOTSUPP, file.child().describe() + " keeps no snapshot");
  }

  @Override
  public BlockNode namesake() {
    return file.child();
  }

  @Override
  public String formatName() {
    return "snapshot-access";
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE;
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    source().readSnapshot(offsetBytes, buffer);
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long length, boolean wantZero)
      throws BlockException {
    return source().snapshotStatus(offsetBytes, length, wantZero);
  }

  @Override
  public boolean discard(long offsetBytes, long length) throws BlockException {
    source().discardSnapshot(offsetBytes, length);
    return true;
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    throw BlockException.of(Errno.EOPNOTSUPP, "write to a snapshot");
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long length, int flags) throws BlockException {
    throw BlockException.of(Errno.EOPNOTSUPP, "write to a snapshot");
  }

  @Override
  public int writeFlags() {
    return 0;
  }

  @Override
  public int zeroFlags() {
    return 0;
  }

  @Override
  public void flush() {}

  /** None: the child reads its own children with permissions of its own. */
  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    return new PermissionPair(Permission.NONE, Permission.ALL);
  }

  @Override
  public void close() {}
}

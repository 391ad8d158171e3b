package org.tinamou.drivers.protocol.file;

import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;

/**
 * A host file or device as the bottom node of a graph; its permissions become locks on the file.
 */
public final class FileNode
    implements BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.PermissionGuard,
        BlockDriver.Named {
  private static final AtomicLongFieldUpdater<FileNode> LENGTH =
      AtomicLongFieldUpdater.newUpdater(FileNode.class, "lengthBytes");

  private static final int SECTOR_BYTES = 512;

  private final BlockNode node;
  private final FileDriver file;
  private final boolean locking;
  private volatile long lengthBytes;
  private int lockedUses = Permission.NONE;
  private int lockedShares = Permission.ALL;

  private FileNode(BlockNode node, FileDriver file, boolean locking, long lengthBytes) {
    this.node = node;
    this.file = file;
    this.locking = locking;
    this.lengthBytes = lengthBytes;
  }

  /**
   * Takes over an open file, which is closed with the node.
   *
   * @param locking whether the node's permissions are announced to other processes
   */
  @InCoroutine
  public static FileNode of(BlockNode node, FileDriver file, boolean locking)
      throws BlockException {
    return new FileNode(node, file, locking, file.lengthBytes());
  }

  @Override
  public String formatName() {
    return file.kind() == HostFiles.Kind.REGULAR ? "file" : "host_device";
  }

  @Override
  public String exactFileName() {
    return file.path().toString();
  }

  /** In whole sectors: what is behind the end of the file reads as zeroes. */
  @Override
  public long lengthBytes() {
    return (lengthBytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
  }

  /** The open file. */
  @AnyThread
  public FileDriver file() {
    return file;
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE;
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    file.read(buffer, offsetBytes);
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    file.write(buffer, offsetBytes);
    grow(offsetBytes + buffer.sizeBytes());
  }

  private void grow(long end) {
    LENGTH.accumulateAndGet(this, end, Math::max);
  }

  @Override
  public int writeFlags() {
    return 0;
  }

  @Override
  public void flush() throws BlockException {
    file.flush();
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long length, int flags) throws BlockException {
    try {
      file.writeZeroes(offsetBytes, length, (flags & RequestFlags.MAY_UNMAP) != 0, true);
    } catch (BlockException e) {
      if (e.errno() == Errno.EOPNOTSUPP) {
        return false;
      }
      throw e;
    }
    grow(offsetBytes + length);
    return true;
  }

  @Override
  public int zeroFlags() {
    return RequestFlags.MAY_UNMAP;
  }

  @Override
  public boolean discard(long offsetBytes, long length) throws BlockException {
    file.discard(offsetBytes, length);
    return true;
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long length, boolean wantZero)
      throws BlockException {
    int data = BlockStatus.DATA;
    if (wantZero) {
      FileExtent extent = file.extentAt(offsetBytes, length);
      data = extent.data() ? BlockStatus.DATA : BlockStatus.ZERO;
      length = extent.lengthBytes();
    }
    return new BlockStatus(
        length, data | BlockStatus.OFFSET_VALID | BlockStatus.ALLOCATED, offsetBytes, node);
  }

  @Override
  public void truncate(long newLengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    boolean fixed = exact && file.kind() != HostFiles.Kind.REGULAR;
    if (fixed && preallocation == PreallocationMode.OFF && newLengthBytes != file.lengthBytes()) {
      throw new BlockException(Errno.EOPNOTSUPP, "Cannot resize device files");
    }
    file.truncate(newLengthBytes, preallocation);
    lengthBytes = file.lengthBytes();
  }

  @Override
  public void preparePermissions(int used, int shared) throws BlockException {
    if (locking) {
      file.announce(used | lockedUses, shared & lockedShares, file.path().toString());
    }
  }

  @Override
  public void commitPermissions(int used, int shared) {
    lockedUses = used;
    lockedShares = shared;
    keepLocks();
  }

  @Override
  public void abortPermissions() {
    keepLocks();
  }

  /** Drops the locks that are no longer needed: nobody can be in the way of that. */
  private void keepLocks() {
    if (!locking) {
      return;
    }
    try {
      file.announce(lockedUses, lockedShares, file.path().toString());
    } catch (BlockException e) {
      throw new IllegalStateException("fewer locks were refused on " + file, e);
    }
  }

  @Override
  public void close() {
    file.close();
  }
}

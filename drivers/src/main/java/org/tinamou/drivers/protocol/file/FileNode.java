package org.tinamou.drivers.protocol.file;

import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
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
import org.tinamou.block.CopyRange;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.RequestFlags;

/**
 * A host file or device as the bottom node of a graph; its permissions become locks on the file.
 *
 * <p>Under {@code auto-read-only} the file is opened for reading, and once more for writing when
 * somebody first needs that.
 */
public final class FileNode
    implements BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.RangeCopier,
        BlockDriver.Reopenable,
        BlockDriver.PermissionGuard,
        BlockDriver.Named {
  private static final AtomicLongFieldUpdater<FileNode> LENGTH =
      AtomicLongFieldUpdater.newUpdater(FileNode.class, "lengthBytes");

  private static final int SECTOR_BYTES = 512;

  private static final int WRITES =
      Permission.WRITE | Permission.WRITE_UNCHANGED | Permission.RESIZE;

  private final BlockNode node;
  private final String driverName;
  private final FileDriver file;
  private final boolean locking;
  private final LongAdder discards = new LongAdder();
  private final LongAdder discardedBytes = new LongAdder();
  private final LongAdder failedDiscards = new LongAdder();
  private volatile long lengthBytes;
  private int lockedUses = Permission.NONE;
  private int lockedShares = Permission.ALL;
  private FileDriver.@Nullable Reopening becomingWritable;
  private @Nullable Change change;

  private FileNode(
      BlockNode node, String driverName, FileDriver file, boolean locking, long lengthBytes) {
    this.node = node;
    this.driverName = driverName;
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
    String name = file.kind() == HostFiles.Kind.REGULAR ? "file" : "host_device";
    return of(node, name, file, locking);
  }

  @InCoroutine
  static FileNode of(BlockNode node, String driverName, FileDriver file, boolean locking)
      throws BlockException {
    return new FileNode(node, driverName, file, locking, file.lengthBytes());
  }

  @Override
  public String formatName() {
    return driverName;
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
    DirectLimits direct = file.directLimits();
    int device = Math.max(1, file.logicalBlockBytes());
    return new BlockLimits(direct.unitBytes(), direct.memoryBytes(), 0, 0, device, 0, device);
  }

  @Override
  public boolean readAtHand(long offsetBytes, IoVector buffer) {
    return file.readAtHand(buffer, offsetBytes);
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
    try {
      file.discard(offsetBytes, length);
    } catch (BlockException e) {
      failedDiscards.increment();
      throw e;
    }
    discards.increment();
    discardedBytes.add(length);
    return true;
  }

  /**
   * What became of discards.
   *
   * @param succeeded how many did
   * @param failed how many did not
   */
  public record DiscardCounts(long succeeded, long failed, long succeededBytes) {}

  /** Of all discards so far. Any thread. */
  @AnyThread
  public DiscardCounts discardCounts() {
    return new DiscardCounts(discards.sum(), failedDiscards.sum(), discardedBytes.sum());
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
  public boolean isStatusCached() {
    return true;
  }

  @Override
  public boolean copyRangeFrom(long offsetBytes, long length, CopyRange copy)
      throws BlockException {
    return copy.here(this, offsetBytes, length);
  }

  @Override
  public boolean copyRangeTo(long offsetBytes, long length, CopyRange copy) throws BlockException {
    if (!(copy.source() instanceof FileNode source)) {
      return false;
    }
    boolean done = copyAll(file, source.file, copy.sourceOffsetBytes(), offsetBytes, length);
    if (done) {
      grow(offsetBytes + length);
    }
    return done;
  }

  /**
   * Copies all of a range inside the host.
   *
   * @return false if the host cannot copy between these two
   */
  @InCoroutine
  static boolean copyAll(
      FileDriver target,
      FileDriver source,
      long sourceOffsetBytes,
      long offsetBytes,
      long lengthBytes)
      throws BlockException {
    for (long done = 0; done < lengthBytes; ) {
      long copied;
      try {
        copied =
            target.copyFrom(
                source, sourceOffsetBytes + done, offsetBytes + done, lengthBytes - done);
      } catch (BlockException e) {
        switch (e.errno()) {
          case EXDEV, EOPNOTSUPP, EINVAL, ENOSYS, EBADF, ENOTTY -> {
            return false;
          }
          default -> throw e;
        }
      }
      if (copied == 0) {
        return false; // the source has become shorter
      }
      done += copied;
    }
    return true;
  }

  /** A reopen of the node, from its preparation on. */
  private final class Change implements PreparedReopen {
    private final FileDriver.Reopening reopening;

    Change(FileDriver.Reopening reopening) {
      this.reopening = reopening;
    }

    @Override
    public void commit() {
      change = null;
      reopening.commit();
    }

    @Override
    public void abort() {
      change = null;
      reopening.abort();
    }
  }

  @Override
  public PreparedReopen prepareReopen(ReopenChange planned) throws BlockException {
    NodeOptions options = planned.options();
    String name = file.path().toString();
    FileDriver.Reopening reopening;
    try {
      reopening = file.prepareReopen(name, !options.readOnly(), options.cacheDirect());
    } catch (BlockException e) {
      if (options.readOnly() || !options.autoReadOnly()) {
        throw e;
      }
      reopening = file.prepareReopen(name, false, options.cacheDirect());
    }
    Change prepared = new Change(reopening);
    change = prepared;
    return prepared;
  }

  @Override
  public void preparePermissions(int used, int shared) throws BlockException {
    if (locking) {
      file.announce(used | lockedUses, shared & lockedShares, file.path().toString());
    }
    if ((used & WRITES) == 0) {
      return;
    }
    try {
      becomeWritable();
    } catch (BlockException e) {
      keepLocks();
      throw e;
    }
  }

  private void becomeWritable() throws BlockException {
    String name = file.path().toString();
    Change planned = change;
    if (planned != null) {
      if (!planned.reopening.isWritable()) {
        // It could not be opened for writing, which was good enough until now.
        throw BlockException.of(Errno.EACCES, "Could not open '" + name + "'");
      }
    } else if (!file.isWritable() && !node.isReadOnly()) {
      becomingWritable = file.prepareReopen(name, true, file.isDirect());
    }
  }

  @Override
  public void commitPermissions(int used, int shared) {
    lockedUses = used;
    lockedShares = shared;
    FileDriver.Reopening pending = becomingWritable;
    becomingWritable = null;
    if (pending != null) {
      pending.commit();
    }
    keepLocks();
  }

  @Override
  public void abortPermissions() {
    FileDriver.Reopening pending = becomingWritable;
    becomingWritable = null;
    if (pending != null) {
      pending.abort();
    }
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

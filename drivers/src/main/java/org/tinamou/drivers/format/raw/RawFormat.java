package org.tinamou.drivers.format.raw;

import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.CopyRange;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.open.FileNames;

/** Shows a child as it is, or a window of it. */
public final class RawFormat
    implements BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.RangeCopier,
        BlockDriver.Reopenable,
        BlockDriver.Named {
  static final long WHOLE = -1;

  /**
   * The part of its file that a raw image shows: what {@link ReopenChange#driverOptions} can be.
   *
   * @param sizeBytes -1 for all that follows
   */
  public record Window(long offsetBytes, long sizeBytes) {}

  private final Edge file;
  private volatile long windowStart;
  private volatile long windowSize;
  private final @Nullable HeaderGuard guard;

  private RawFormat(Edge file, long windowStart, long windowSize, @Nullable HeaderGuard guard) {
    this.file = file;
    this.windowStart = windowStart;
    this.windowSize = windowSize;
    this.guard = guard;
  }

  /** Shows all of {@code child}. */
  @InCoroutine
  public static RawFormat open(BlockNode node, BlockNode child) throws BlockException {
    return open(node, child, 0, WHOLE);
  }

  /**
   * Shows a window of {@code child}.
   *
   * @param offsetBytes where it begins
   * @param sizeBytes how long it is; -1 for all that follows
   */
  @InCoroutine
  public static RawFormat open(BlockNode node, BlockNode child, long offsetBytes, long sizeBytes)
      throws BlockException {
    Set<EdgeRole> roles = roles(offsetBytes != 0 || sizeBytes != WHOLE);
    Edge edge = node.attachChild("file", roles, child, Permission.CONSISTENT_READ, Permission.ALL);
    return over(edge, offsetBytes, sizeBytes, null);
  }

  /** What the file is to a raw node: with a window it does not show all of it. */
  static Set<EdgeRole> roles(boolean window) {
    return EnumSet.of(window ? EdgeRole.DATA : EdgeRole.FILTERED, EdgeRole.PRIMARY);
  }

  /**
   * Shows a window of an edge's child.
   *
   * @param guard refuses what would make it look like another format; null if its format was given
   */
  static RawFormat over(Edge file, long offsetBytes, long sizeBytes, @Nullable HeaderGuard guard)
      throws BlockException {
    check(file, offsetBytes, sizeBytes);
    return new RawFormat(file, offsetBytes, sizeBytes, guard);
  }

  private static void check(Edge file, long offsetBytes, long sizeBytes) throws BlockException {
    long present = file.lengthBytes();
    if (offsetBytes < 0 || offsetBytes > present) {
      throw new BlockException(
          Errno.EINVAL,
          "Offset (%d) cannot be greater than size of the containing file (%d)"
              .formatted(offsetBytes, present));
    }
    if (sizeBytes != WHOLE && sizeBytes > present - offsetBytes) {
      throw new BlockException(
          Errno.EINVAL,
          "The sum of offset (%d) and size (%d) has to be smaller or equal to the  actual size of the containing file (%d)"
              .formatted(offsetBytes, sizeBytes, present));
    }
  }

  /** What it shows of its file. */
  @AnyThread
  public Window window() {
    return new Window(windowStart, windowSize);
  }

  @Override
  public String formatName() {
    return "raw";
  }

  @Override
  public String exactFileName() {
    return windowStart == 0 && windowSize == WHOLE ? FileNames.exactOfImageIn(file.child()) : "";
  }

  @Override
  public long lengthBytes() {
    if (windowSize != WHOLE) {
      return windowSize;
    }
    BlockDriver driver = file.child().driverOrNull();
    return driver == null ? 0 : Math.max(0, driver.lengthBytes() - windowStart);
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE; // the child widens, copies and splits what it has to
  }

  private void checkWindow(long offset, long length) throws BlockException {
    if (windowSize != WHOLE && (offset > windowSize || length > windowSize - offset)) {
      throw BlockException.of(Errno.ENOSPC, "request beyond the end of the raw window");
    }
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    file.announce(DebugEvent.READ_AIO);
    file.read(windowStart + offsetBytes, buffer, flags);
  }

  @Override
  public @Nullable Edge passRead() throws BlockException {
    if (windowStart != 0 || windowSize != WHOLE) {
      return null;
    }
    file.announce(DebugEvent.READ_AIO);
    return file;
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    checkWindow(offsetBytes, buffer.sizeBytes());
    if (guard != null) {
      guard.check(file, offsetBytes, buffer);
    }
    file.announce(DebugEvent.WRITE_AIO);
    file.write(windowStart + offsetBytes, buffer, flags);
  }

  @Override
  public int writeFlags() {
    return file.writeFlags();
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    checkWindow(offsetBytes, lengthBytes);
    return file.writeZeroes(windowStart + offsetBytes, lengthBytes, flags);
  }

  @Override
  public int zeroFlags() {
    return file.writeFlags();
  }

  @Override
  public void flush() {
    // The node flushes its children.
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    checkWindow(offsetBytes, lengthBytes);
    file.discard(windowStart + offsetBytes, lengthBytes);
    return true;
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero) {
    return new BlockStatus(
        lengthBytes,
        BlockStatus.RAW | BlockStatus.OFFSET_VALID | BlockStatus.ALLOCATED,
        windowStart + offsetBytes,
        file.child());
  }

  @Override
  public boolean copyRangeFrom(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    return copy.from(file, windowStart + offsetBytes, lengthBytes);
  }

  @Override
  public boolean copyRangeTo(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    checkWindow(offsetBytes, lengthBytes);
    if (guard != null && guard.concerns(offsetBytes)) {
      return false; // what is copied has to be looked at
    }
    return copy.to(file, windowStart + offsetBytes, lengthBytes);
  }

  @Override
  public PreparedReopen prepareReopen(ReopenChange change) throws BlockException {
    if (!(change.driverOptions() instanceof Window(long offsetBytes, long sizeBytes))) {
      return PreparedReopen.NOTHING;
    }
    check(file, offsetBytes, sizeBytes);
    return new PreparedReopen() {
      @Override
      public void commit() {
        windowStart = offsetBytes;
        windowSize = sizeBytes;
      }

      @Override
      public void abort() {}
    };
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    if (windowSize != WHOLE) {
      throw new BlockException(Errno.EOPNOTSUPP, "Cannot resize fixed-size raw disks");
    }
    if (lengthBytes > Long.MAX_VALUE - windowStart) {
      throw new BlockException(Errno.EINVAL, "Disk size too large for the chosen offset");
    }
    file.truncate(windowStart + lengthBytes, exact, preallocation);
  }

  @Override
  public void close() {}
}

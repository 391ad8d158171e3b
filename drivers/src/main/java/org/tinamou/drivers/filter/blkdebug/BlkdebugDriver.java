package org.tinamou.drivers.filter.blkdebug;

import java.util.function.Consumer;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.drivers.filter.blkdebug.Rules.InjectError;

/** Passes everything on to its child, unless a rule has the request fail or wait. */
public final class BlkdebugDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.Reopenable,
        BlockDriver.PermissionMapper,
        BlockDriver.Breakpoints,
        BlockDriver.Named {
  private final Edge image;
  private final RuleEngine rules;
  private final DebugLimits limits;
  private final int takenPermissions;
  private final int unsharedPermissions;
  private final NameSource name;

  /** How a node is called. */
  @FunctionalInterface
  interface NameSource {
    String name(Edge image);
  }

  BlkdebugDriver(
      Edge image,
      RuleEngine rules,
      DebugLimits limits,
      int takenPermissions,
      int unsharedPermissions,
      NameSource name) {
    this.image = image;
    this.rules = rules;
    this.limits = limits;
    this.takenPermissions = takenPermissions;
    this.unsharedPermissions = unsharedPermissions;
    this.name = name;
  }

  /** Fails if a rule says so. */
  @InCoroutine
  private void check(IoType type, long offsetBytes, long lengthBytes) throws BlockException {
    InjectError error = rules.find(type, offsetBytes, lengthBytes);
    if (error == null || error.errno() <= 0) {
      return;
    }
    if (!error.immediately()) {
      Coroutine.yieldNow();
    }
    throw BlockException.of(Errno.ofResult(-error.errno()), "blkdebug");
  }

  @Override
  public String formatName() {
    return "blkdebug";
  }

  @Override
  public String exactFileName() {
    return name.name(image);
  }

  @Override
  public long lengthBytes() {
    BlockDriver below = image.child().driverOrNull();
    return below == null ? 0 : below.lengthBytes();
  }

  @Override
  public BlockLimits limits() {
    return limits.asLimits();
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    check(IoType.READ, offsetBytes, buffer.sizeBytes());
    image.read(offsetBytes, buffer, flags);
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    check(IoType.WRITE, offsetBytes, buffer.sizeBytes());
    image.write(offsetBytes, buffer, flags);
  }

  @Override
  public int writeFlags() {
    return image.writeFlags();
  }

  /** Leaves ranges smaller than the preferred unit to the writing of buffers. */
  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    if (lengthBytes < Math.max(limits.align(), limits.optWriteZero())) {
      return false;
    }
    check(IoType.WRITE_ZEROES, offsetBytes, lengthBytes);
    return image.writeZeroes(offsetBytes, lengthBytes, flags);
  }

  @Override
  public int zeroFlags() {
    return image.writeFlags();
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    check(IoType.DISCARD, offsetBytes, lengthBytes);
    image.discard(offsetBytes, lengthBytes);
    return true;
  }

  @Override
  public void flush() throws BlockException {
    check(IoType.FLUSH, 0, 0);
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    check(IoType.BLOCK_STATUS, offsetBytes, lengthBytes);
    int flags = BlockStatus.RAW | BlockStatus.OFFSET_VALID | BlockStatus.ALLOCATED;
    return new BlockStatus(lengthBytes, flags, offsetBytes, image.child());
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    image.truncate(lengthBytes, exact, preallocation);
  }

  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    return new PermissionPair(used | takenPermissions, shared & ~unsharedPermissions);
  }

  @Override
  public PreparedReopen prepareReopen(ReopenChange change) {
    return PreparedReopen.NOTHING;
  }

  @Override
  public void announced(DebugEvent event) {
    rules.announced(event);
  }

  @Override
  public void addBreakpoint(DebugEvent event, String tag, Consumer<String> log) {
    rules.addBreakpoint(event, tag, log);
  }

  @Override
  public boolean removeBreakpoint(String tag) {
    return rules.removeBreakpoint(tag);
  }

  @Override
  public boolean resume(String tag) {
    return rules.resume(tag);
  }

  @Override
  public void awaitSuspended(String tag) {
    rules.awaitSuspended(tag);
  }

  @Override
  public boolean isSuspended(String tag) {
    return rules.isSuspended(tag);
  }

  @Override
  public void close() {}
}

package org.tinamou.testkit.scenario;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.testkit.sim.Simulation;

/**
 * A disk in memory that a scenario directs: it holds requests back, lets them fail, and calls hooks
 * where the graph calls it. Everything is done by work queued in the node's loop.
 */
final class StagedDisk
    implements BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.RangeCopier,
        BlockDriver.Reopenable,
        BlockDriver.Quiescable,
        BlockDriver.ContextBound,
        BlockDriver.PermissionGuard {
  static final int SIZE_BYTES = 8192;

  final BlockNode node;

  /** Requests that were made, and those that have ended. */
  int arrived;

  int ended;

  /** Requests end with this error. */
  @Nullable Errno failure;

  int alignment = 1;
  int statusQueries;
  int flushes;
  boolean refuseReopen;
  boolean refusePermissions;
  boolean untouchable;
  boolean closed;
  boolean slowStatus;

  /** Whether it has work queued, and a coroutine started, in each loop that it comes to. */
  boolean worksOnArrival;

  /**
   * Runs, if it is set, when the node's drained section begins; in the driver, on the main loop.
   */
  @Nullable Runnable onQuiesce;

  /** Runs, if it is set, while permissions are prepared. */
  @Nullable Runnable onPreparePermissions;

  /** Runs, if it is set, as a callback of the node's loop that is part of each request. */
  @Nullable Runnable onRequest;

  private final Simulation simulation;
  private final SeededRandom random;
  private final List<Coroutine> held = new ArrayList<>();
  private boolean holding;
  private boolean holdingWrites;
  private boolean quiesced;
  private byte[] bytes = new byte[SIZE_BYTES];

  StagedDisk(Simulation simulation, SeededRandom random, BlockNode node) {
    this.simulation = simulation;
    this.random = random;
    this.node = node;
  }

  /** Requests that come from now on wait for {@link #letGo}. */
  void hold() {
    holding = true;
  }

  /** Writes that come from now on wait for {@link #letGo}, while reads pass. */
  void holdWrites() {
    holdingWrites = true;
  }

  void letGo() {
    holding = false;
    holdingWrites = false;
    held.forEach(Coroutine::wake);
  }

  int underWay() {
    return arrived - ended;
  }

  byte at(int offset) {
    return bytes[offset];
  }

  boolean isQuiesced() {
    return quiesced;
  }

  private void serve(Runnable work) throws BlockException {
    serve(work, false);
  }

  private void serve(Runnable work, boolean isWrite) throws BlockException {
    simulation.require(!closed, "I8", "request on the closed " + node);
    simulation.require(!untouchable, "I6", "request inside a drained section of " + node);
    arrived++;
    try {
      Coroutine self = Coroutine.current();
      held.add(self);
      while (holding || (isWrite && holdingWrites)) {
        Coroutine.suspend("held by the scenario");
      }
      held.remove(self);
      inHomeLoop(self, work);
      Errno error = failure;
      if (error != null) {
        throw BlockException.of(error, "directed");
      }
    } finally {
      ended++;
    }
  }

  private void inHomeLoop(Coroutine self, Runnable work) {
    boolean[] done = new boolean[1];
    Runnable finish =
        () -> {
          simulation.require(node.context().isHome(), "I5", "work of " + node + " elsewhere");
          simulation.require(!closed && !untouchable, "I6", "callback of the drained " + node);
          if (onRequest != null) {
            onRequest.run();
          }
          if (failure == null) {
            work.run();
          }
          done[0] = true;
          self.wake();
        };
    if (random.nextBoolean()) {
      node.work().schedule("finish", finish);
    } else {
      node.work().spawn("finisher", finish::run);
    }
    while (!done[0]) {
      Coroutine.suspend("staged disk");
    }
  }

  @Override
  public String formatName() {
    return "staged";
  }

  @Override
  public long lengthBytes() {
    return bytes.length;
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE.withRequestAlignment(alignment);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    serve(
        () -> {
          int at = (int) offsetBytes;
          for (MemorySegment segment : buffer.segments()) {
            int length = (int) segment.byteSize();
            MemorySegment.copy(bytes, at, segment, ValueLayout.JAVA_BYTE, 0, length);
            at += length;
          }
        });
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    serve(
        () -> {
          int at = (int) offsetBytes;
          for (MemorySegment segment : buffer.segments()) {
            int length = (int) segment.byteSize();
            MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, bytes, at, length);
            at += length;
          }
        },
        true);
  }

  @Override
  public int writeFlags() {
    return 0;
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    serve(() -> Arrays.fill(bytes, (int) offsetBytes, (int) (offsetBytes + lengthBytes), (byte) 0));
    return true;
  }

  @Override
  public int zeroFlags() {
    return 0;
  }

  @Override
  public void flush() throws BlockException {
    serve(() -> flushes++);
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    return writeZeroes(offsetBytes, lengthBytes, 0);
  }

  /** Zeroes are holes. */
  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    statusQueries++;
    int start = (int) offsetBytes;
    int[] end = {start};
    boolean[] zero = new boolean[1];
    serve(
        () -> {
          zero[0] = bytes[start] == 0;
          while (end[0] < start + lengthBytes && (bytes[end[0]] == 0) == zero[0]) {
            end[0]++;
          }
        });
    int flags = zero[0] ? BlockStatus.ZERO : BlockStatus.DATA;
    return new BlockStatus(
        end[0] - start,
        flags | BlockStatus.ALLOCATED | BlockStatus.OFFSET_VALID,
        offsetBytes,
        node);
  }

  @Override
  public boolean isStatusCached() {
    return slowStatus;
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    serve(() -> bytes = Arrays.copyOf(bytes, (int) lengthBytes));
  }

  @Override
  public boolean copyRangeFrom(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    return copy.here(this, offsetBytes, lengthBytes);
  }

  @Override
  public boolean copyRangeTo(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    if (!(copy.source() instanceof StagedDisk source)) {
      return false;
    }
    int from = (int) copy.sourceOffsetBytes();
    serve(
        () -> {
          simulation.require(!source.untouchable, "I6", "copy from the drained " + source.node);
          System.arraycopy(source.bytes, from, bytes, (int) offsetBytes, (int) lengthBytes);
        });
    return true;
  }

  @Override
  public BlockDriver.PreparedReopen prepareReopen(ReopenChange change) throws BlockException {
    simulation.require(quiesced, "I6", node + " is reopened without being drained");
    Coroutine.yieldNow();
    if (refuseReopen) {
      throw BlockException.of(Errno.EACCES, "directed");
    }
    return BlockDriver.PreparedReopen.NOTHING;
  }

  @Override
  public void quiesce() {
    quiesced = true;
    if (onQuiesce != null) {
      onQuiesce.run();
    }
  }

  @Override
  public void unquiesce() {
    simulation.require(!untouchable, "I6", node + " is released too early");
    quiesced = false;
  }

  @Override
  public void detachFromContext() {
    simulation.require(quiesced, "I6", node + " leaves its loop without being drained");
    simulation.require(node.context().isHome(), "I5", node + " is detached elsewhere");
  }

  @Override
  public void attachToContext(AioContext context) {
    simulation.require(quiesced && context.isHome(), "I5", node + " is attached elsewhere");
    if (worksOnArrival) {
      int turns = random.nextInt(12);
      node.work()
          .spawn(
              "settles",
              () -> {
                for (int i = 0; i < turns; i++) {
                  Coroutine.yieldNow();
                }
              });
    }
  }

  @Override
  public void preparePermissions(int used, int shared) throws BlockException {
    if (onPreparePermissions != null) {
      onPreparePermissions.run();
    }
    Coroutine.yieldNow();
    if (refusePermissions) {
      throw BlockException.of(Errno.EAGAIN, "Failed to get \"write\" lock");
    }
  }

  @Override
  public void commitPermissions(int used, int shared) {
    Coroutine.yieldNow();
  }

  @Override
  public void abortPermissions() {
    Coroutine.yieldNow();
  }

  @Override
  public void close() {
    simulation.require(underWay() == 0, "I8", node + " is closed with requests under way");
    closed = true;
  }
}

package org.tinamou.testkit.workload;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.CopyRange;
import org.tinamou.block.NodeWork;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.testkit.sim.Simulation;

/**
 * A disk in memory that answers the hard way: by callbacks and coroutines queued in the node's
 * loop, with a timer of its own beside. It reports every call that comes when it should be left
 * alone.
 */
final class MemoryDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.RangeCopier,
        BlockDriver.Reopenable,
        BlockDriver.Quiescable,
        BlockDriver.ContextBound {
  private static final long TICK_NANOS = 50_000;

  private final Simulation simulation;
  private final SeededRandom random;
  private final BlockNode node;
  private final int alignment;
  private final NodeWork.NodeTimer ticker;
  private byte[] bytes;
  private AioContext home;
  private boolean quiesced;
  private boolean closed;
  private boolean preparing;
  private int ticks;

  /** One of so many reopens is refused. */
  int refusedReopens = 4;

  /** Set by whoever holds a drained section: any call is a violation then. */
  boolean tripwire;

  MemoryDriver(Simulation simulation, SeededRandom random, BlockNode node, int sizeBytes) {
    this.simulation = simulation;
    this.random = random;
    this.node = node;
    this.bytes = new byte[sizeBytes];
    this.home = node.context();
    this.alignment = random.nextBoolean() ? 1 : 512;
    this.ticker = node.work().timer(ClockType.REALTIME, "ticker", this::tick);
    node.work().schedule("start ticker", () -> ticker.armAt(simulation.nowNanos() + TICK_NANOS));
  }

  /** What it holds now; for whoever keeps it drained, to look or to change. */
  byte[] contents() {
    return bytes;
  }

  private void checkAwake(String what) {
    if (closed || tripwire) { // the message is dear
      simulation.require(!closed, "I8", what + " on a closed driver");
      simulation.require(!tripwire, "I6", what + " inside a drained section of " + node);
    }
  }

  /** The driver's own work: some callbacks in a row in the node's loop. */
  private void tick() {
    checkAwake("timer");
    simulation.require(!quiesced, "I6", "timer of a quiesced driver");
    if (!home.isHome()) {
      simulation.require(false, "I5", "timer of " + node + " in the wrong loop");
    }
    if (++ticks < 20) {
      node.work().schedule("tock", () -> checkAwake("callback"));
      ticker.armAt(simulation.nowNanos() + TICK_NANOS);
    }
  }

  /** Does the work in the node's loop, while the caller waits in its own. */
  private void inHomeLoop(Runnable work) throws BlockException {
    checkAwake("request");
    int way = random.nextInt(4);
    if (way == 0) {
      work.run();
      return;
    }
    Coroutine caller = Coroutine.current();
    boolean[] done = new boolean[1];
    Runnable finish =
        () -> {
          if (AioContext.currentOrNull() != node.context() || home != node.context()) {
            simulation.require(false, "I5", "work of " + node + " in the wrong loop");
          }
          checkAwake("callback");
          work.run();
          done[0] = true;
          caller.wake();
        };
    switch (way) {
      case 1 -> node.work().schedule("finish", finish);
      case 2 -> node.work().schedule("first", () -> node.work().schedule("finish", finish));
      default ->
          node.work()
              .spawn(
                  "finisher",
                  () -> {
                    node.context().sleep(ClockType.REALTIME, random.nextLong(200_000));
                    finish.run();
                  });
    }
    while (!done[0]) {
      Coroutine.suspend("memory driver");
    }
    if (!simulation.isCalm() && random.chance(simulation.config().readErrorPermille(), 1000)) {
      throw BlockException.of(Errno.EIO, "injected");
    }
  }

  /** Fails before anything, or part of it, has been written. */
  private void maybeRefuse(int offset, IoVector buffer) throws BlockException {
    if (simulation.isCalm() || !random.chance(simulation.config().writeErrorPermille(), 1000)) {
      return;
    }
    int part = random.nextInt((int) buffer.sizeBytes() + 1);
    store(offset, buffer.slice(0, part));
    throw BlockException.of(random.nextBoolean() ? Errno.EIO : Errno.ENOSPC, "injected");
  }

  private void store(int offset, IoVector buffer) {
    int at = offset;
    for (MemorySegment segment : buffer.segments()) {
      int length = (int) segment.byteSize();
      MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, bytes, at, length);
      at += length;
    }
  }

  @Override
  public String formatName() {
    return "memory";
  }

  @Override
  public long lengthBytes() {
    return bytes.length;
  }

  @Override
  public BlockLimits limits() {
    return new BlockLimits(alignment, 1, 4096, 8192, alignment, 0, alignment);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    requireAligned(offsetBytes, buffer.sizeBytes());
    inHomeLoop(
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
    requireAligned(offsetBytes, buffer.sizeBytes());
    maybeRefuse((int) offsetBytes, buffer);
    inHomeLoop(() -> store((int) offsetBytes, buffer));
  }

  private void requireAligned(long offset, long length) {
    if ((offset | length) % alignment != 0 || length > 4096 || offset + length > bytes.length) {
      simulation.require(false, "limits", "request at %d of %d bytes".formatted(offset, length));
    }
  }

  @Override
  public int writeFlags() {
    return 0;
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    if (random.chance(1, 3)) {
      return false;
    }
    inHomeLoop(
        () ->
            java.util.Arrays.fill(
                bytes, (int) offsetBytes, (int) (offsetBytes + lengthBytes), (byte) 0));
    return true;
  }

  @Override
  public int zeroFlags() {
    return 0;
  }

  @Override
  public void flush() throws BlockException {
    inHomeLoop(() -> {});
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    return writeZeroes(offsetBytes, lengthBytes, 0);
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    int start = (int) offsetBytes;
    int[] zeroes = {start};
    boolean looks = wantZero && random.nextBoolean();
    inHomeLoop(
        () -> {
          while (looks && zeroes[0] < start + lengthBytes && bytes[zeroes[0]] == 0) {
            zeroes[0]++;
          }
        });
    int length = (zeroes[0] - start) & -alignment;
    return length > 0
        ? new BlockStatus(length, BlockStatus.ZERO | BlockStatus.ALLOCATED, 0, null)
        : BlockStatus.data(lengthBytes);
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    inHomeLoop(() -> bytes = java.util.Arrays.copyOf(bytes, (int) lengthBytes));
  }

  @Override
  public boolean copyRangeFrom(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    checkAwake("copy");
    return random.chance(3, 4) && copy.here(this, offsetBytes, lengthBytes);
  }

  @Override
  public boolean copyRangeTo(long offsetBytes, long lengthBytes, CopyRange copy)
      throws BlockException {
    requireAligned(offsetBytes, lengthBytes);
    if (!(copy.source() instanceof MemoryDriver source) || random.chance(1, 4)) {
      return false;
    }
    source.checkAwake("copy");
    int from = (int) copy.sourceOffsetBytes();
    inHomeLoop(
        () -> {
          source.checkAwake("copy");
          System.arraycopy(source.bytes, from, bytes, (int) offsetBytes, (int) lengthBytes);
        });
    return true;
  }

  /** A reopen that takes its time and may refuse. */
  @Override
  public BlockDriver.PreparedReopen prepareReopen(ReopenChange change) throws BlockException {
    simulation.require(quiesced, "I6", node + " is reopened without being drained");
    Coroutine.yieldNow();
    if (random.chance(1, refusedReopens)) {
      throw BlockException.of(Errno.EACCES, "injected");
    }
    simulation.require(!preparing, "I16", node + " prepares twice");
    preparing = true;
    return new BlockDriver.PreparedReopen() {
      @Override
      public void commit() {
        simulation.require(preparing && quiesced, "I16", "unexpected commit of " + node);
        simulation.require(
            node.options().equals(change.options()), "I16", "commit with other options");
        preparing = false;
        Coroutine.yieldNow();
      }

      @Override
      public void abort() {
        simulation.require(preparing && quiesced, "I16", "unexpected abort of " + node);
        preparing = false;
      }
    };
  }

  @Override
  public void quiesce() {
    quiesced = true;
  }

  @Override
  public void unquiesce() {
    simulation.require(!tripwire, "I6", "released inside a drained section of " + node);
    quiesced = false;
  }

  @Override
  public void detachFromContext() {
    simulation.require(quiesced, "I6", node + " leaves its loop without being drained");
    simulation.require(home.isHome(), "I5", node + " is detached outside of its loop");
  }

  @Override
  public void attachToContext(AioContext context) {
    simulation.require(context.isHome(), "I5", node + " is attached outside of its loop");
    home = context;
  }

  @Override
  public void close() {
    simulation.require(quiesced, "I6", node + " is closed without being drained");
    simulation.require(!preparing, "I16", node + " is closed in the middle of a reopen");
    closed = true;
  }
}

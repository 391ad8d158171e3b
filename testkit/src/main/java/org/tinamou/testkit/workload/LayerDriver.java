package org.tinamou.testkit.workload;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
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
import org.tinamou.block.Edge;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.drivers.OverlayImage;
import org.tinamou.jobs.chain.ImageChain;
import org.tinamou.testkit.sim.Simulation;

/**
 * An image in memory that may stand on another one: what a sector does not hold shows through. What
 * it holds is in a {@link MemoryDriver}, which answers as hard as it does alone.
 */
final class LayerDriver
    implements OverlayImage,
        BlockDriver.ZeroWriter,
        BlockDriver.Discarder,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.Reopenable,
        BlockDriver.Quiescable,
        BlockDriver.ContextBound {
  static final int SECTOR_BYTES = 512;

  /** What nobody has written, and nobody may see. */
  private static final byte JUNK = 0x5A;

  private final Simulation simulation;
  private final SeededRandom random;
  private final BlockNode node;
  private final MemoryDriver own;
  private final BitSet allocated = new BitSet();
  private boolean quiesced;

  LayerDriver(Simulation simulation, SeededRandom random, BlockNode node, int sizeBytes) {
    this.simulation = simulation;
    this.random = random;
    this.node = node;
    this.own = new MemoryDriver(simulation, random, node, sizeBytes);
    Arrays.fill(own.contents(), JUNK);
  }

  MemoryDriver own() {
    return own;
  }

  /** Fills a sector, unseen by anybody. */
  void put(int sector, byte value) {
    Arrays.fill(own.contents(), sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES, value);
    allocated.set(sector);
  }

  /** What shows through from here on, seen without a request. */
  byte[] view() {
    byte[] view = own.contents().clone();
    Edge below = node.child("backing");
    byte[] beneath =
        below == null ? new byte[0] : layer(ImageChain.unfiltered(below.child())).view();
    for (int sector = 0; sector < view.length / SECTOR_BYTES; sector++) {
      if (!allocated.get(sector)) {
        int start = sector * SECTOR_BYTES;
        Arrays.fill(view, start, start + SECTOR_BYTES, (byte) 0);
        int length = Math.clamp(beneath.length - start, 0, SECTOR_BYTES);
        System.arraycopy(beneath, Math.min(start, beneath.length), view, start, length);
      }
    }
    return view;
  }

  static boolean isLayer(BlockNode node) {
    return node.driverOrNull() instanceof LayerDriver;
  }

  static LayerDriver layer(BlockNode node) {
    return (LayerDriver) Objects.requireNonNull(node.driverOrNull());
  }

  // ------------------------------------------------------------------------------------- requests

  @Override
  public String formatName() {
    return "layer";
  }

  @Override
  public long lengthBytes() {
    return own.lengthBytes();
  }

  @Override
  public BlockLimits limits() {
    return own.limits().withRequestAlignment(SECTOR_BYTES);
  }

  /** How many of the sectors from the first on are there, or are not there, as it is. */
  private int run(int first, int count) {
    int end = allocated.get(first) ? allocated.nextClearBit(first) : allocated.nextSetBit(first);
    return end < 0 ? count : Math.min(count, end - first);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    for (long done = 0; done < buffer.sizeBytes(); ) {
      long at = offsetBytes + done;
      int first = (int) (at / SECTOR_BYTES);
      int count = run(first, (int) ((buffer.sizeBytes() - done) / SECTOR_BYTES));
      IoVector part = buffer.slice(done, (long) count * SECTOR_BYTES);
      if (allocated.get(first)) {
        own.read(at, part, flags);
      } else {
        readBelow(at, part);
      }
      done += part.sizeBytes();
    }
  }

  private void readBelow(long offsetBytes, IoVector buffer) throws BlockException {
    Edge below = node.child("backing");
    long there = below == null ? 0 : Math.max(0, below.lengthBytes() - offsetBytes);
    long length = Math.min(buffer.sizeBytes(), there);
    buffer.slice(length).fill((byte) 0);
    if (below != null && length > 0) {
      below.read(offsetBytes, buffer.slice(0, length), 0);
    }
  }

  private void hold(long offsetBytes, long lengthBytes) {
    int first = (int) (offsetBytes / SECTOR_BYTES);
    allocated.set(first, first + (int) (lengthBytes / SECTOR_BYTES));
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    simulation.require(!node.isReadOnly(), "I15", node + " is written to although read-only");
    own.write(offsetBytes, buffer, flags);
    hold(offsetBytes, buffer.sizeBytes());
  }

  @Override
  public int writeFlags() {
    return own.writeFlags();
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    boolean done = own.writeZeroes(offsetBytes, lengthBytes, flags);
    if (done) {
      hold(offsetBytes, lengthBytes);
    }
    return done;
  }

  @Override
  public int zeroFlags() {
    return own.zeroFlags();
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    return writeZeroes(offsetBytes, lengthBytes, 0);
  }

  /** Who reopens it read-only flushes it, drained as it is. */
  @Override
  public void flush() throws BlockException {
    if (quiesced) {
      Coroutine.yieldNow();
    } else {
      own.flush();
    }
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    int first = (int) (offsetBytes / SECTOR_BYTES);
    int count = run(first, (int) (lengthBytes / SECTOR_BYTES));
    if (allocated.get(first)) {
      BlockStatus held = own.blockStatus(offsetBytes, (long) count * SECTOR_BYTES, wantZero);
      long whole = held.lengthBytes() & -SECTOR_BYTES;
      return whole > 0 ? held.atMost(whole) : BlockStatus.data(SECTOR_BYTES);
    }
    if (random.chance(1, 3)) {
      Coroutine.yieldNow();
    }
    Edge below = node.child("backing");
    boolean zero = below == null || offsetBytes >= below.lengthBytes();
    long length = (long) (allocated.get(first) ? 1 : run(first, count)) * SECTOR_BYTES;
    return allocated.get(first)
        ? BlockStatus.data(length)
        : new BlockStatus(length, zero ? BlockStatus.ZERO : 0, 0, null);
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    own.truncate(lengthBytes, exact, preallocation);
  }

  // ----------------------------------------------------------------------------- what it stands on

  @Override
  public void changeBacking(@Nullable String name, @Nullable String format) throws BlockException {
    simulation.require(!node.isReadOnly(), "I18", node + " is renamed although it is read-only");
    own.flush();
    if (!simulation.isCalm() && random.chance(1, 8)) {
      throw BlockException.of(Errno.ENOSPC, "injected");
    }
  }

  @Override
  public void makeEmpty() throws BlockException {
    own.flush();
    allocated.clear();
  }

  @Override
  public BlockDriver.PreparedReopen prepareReopen(ReopenChange change) throws BlockException {
    return own.prepareReopen(change);
  }

  // -------------------------------------------------------------------------------------- its life

  @Override
  public void quiesce() {
    quiesced = true;
    own.quiesce();
  }

  @Override
  public void unquiesce() {
    quiesced = false;
    own.unquiesce();
  }

  @Override
  public void detachFromContext() {
    own.detachFromContext();
  }

  @Override
  public void attachToContext(AioContext context) {
    own.attachToContext(context);
  }

  @Override
  public void close() {
    own.close();
  }
}

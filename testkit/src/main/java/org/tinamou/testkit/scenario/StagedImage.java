package org.tinamou.testkit.scenario;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
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
import org.tinamou.testkit.sim.Simulation;

/** An image in memory that may stand on another one: what a sector does not hold shows through. */
final class StagedImage
    implements OverlayImage,
        BlockDriver.ZeroWriter,
        BlockDriver.StatusSource,
        BlockDriver.Resizable,
        BlockDriver.Reopenable,
        BlockDriver.Quiescable,
        BlockDriver.PermissionGuard {
  static final int SECTOR_BYTES = 512;

  final BlockNode node;

  /** What it says it stands on. */
  @Nullable String backingName;

  /** Requests end with this error. */
  @Nullable Errno failure;

  /** Runs, if it is set, while permissions are prepared. */
  @Nullable Runnable onPreparePermissions;

  /** Writes are under way as long as this is set. */
  volatile boolean holdsWrites;

  private final Simulation simulation;
  private final SeededRandom random;
  private final BitSet allocated = new BitSet();
  private byte[] bytes;
  private int quiesced;
  private int underWay;
  private boolean closed;

  StagedImage(Simulation simulation, SeededRandom random, BlockNode node, int sizeBytes) {
    this.simulation = simulation;
    this.random = random;
    this.node = node;
    this.bytes = new byte[sizeBytes];
  }

  /** Fills a sector, unseen by anybody. */
  void put(int sector, int value) {
    Arrays.fill(bytes, sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES, (byte) value);
    allocated.set(sector);
  }

  /** Lets what is below show through, unseen by anybody. */
  void drop(int sector) {
    allocated.clear(sector);
  }

  /** Something else may happen before and after a request does its work. */
  private void serve() throws BlockException {
    underWay++;
    try {
      for (int i = random.nextInt(4); i > 0; i--) {
        Coroutine.yieldNow();
      }
      Errno error = failure;
      if (error != null) {
        throw BlockException.of(error, "directed");
      }
    } finally {
      underWay--;
    }
  }

  @Override
  public String formatName() {
    return "staged-image";
  }

  @Override
  public long lengthBytes() {
    return bytes.length;
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE.withRequestAlignment(SECTOR_BYTES);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    serve();
    for (long done = 0; done < buffer.sizeBytes(); done += SECTOR_BYTES) {
      int sector = (int) ((offsetBytes + done) / SECTOR_BYTES);
      IoVector part = buffer.slice(done, SECTOR_BYTES);
      Edge below = node.child("backing");
      if (allocated.get(sector) || below == null) {
        int at = sector * SECTOR_BYTES;
        for (MemorySegment segment : part.segments()) {
          int length = (int) segment.byteSize();
          MemorySegment.copy(bytes, at, segment, ValueLayout.JAVA_BYTE, 0, length);
          at += length;
        }
      } else {
        below.read((long) sector * SECTOR_BYTES, part, 0);
      }
    }
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    serve();
    while (holdsWrites) {
      Coroutine.yieldNow();
    }
    int at = (int) offsetBytes;
    for (MemorySegment segment : buffer.segments()) {
      int length = (int) segment.byteSize();
      MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, bytes, at, length);
      at += length;
    }
    allocated.set((int) offsetBytes / SECTOR_BYTES, at / SECTOR_BYTES);
  }

  @Override
  public int writeFlags() {
    return 0;
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    serve();
    int end = (int) (offsetBytes + lengthBytes);
    Arrays.fill(bytes, (int) offsetBytes, end, (byte) 0);
    allocated.set((int) offsetBytes / SECTOR_BYTES, end / SECTOR_BYTES);
    return true;
  }

  @Override
  public int zeroFlags() {
    return 0;
  }

  @Override
  public void flush() throws BlockException {
    serve();
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    serve();
    int first = (int) offsetBytes / SECTOR_BYTES;
    int count = (int) (lengthBytes / SECTOR_BYTES);
    boolean here = allocated.get(first);
    int end = first + 1;
    while (end < first + count && allocated.get(end) == here) {
      end++;
    }
    long length = (long) (end - first) * SECTOR_BYTES;
    int flags = here ? BlockStatus.DATA | BlockStatus.ALLOCATED : 0;
    boolean zero = !here && node.child("backing") == null;
    return new BlockStatus(length, zero ? BlockStatus.ZERO : flags, 0, null);
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    serve();
    bytes = Arrays.copyOf(bytes, (int) lengthBytes);
  }

  @Override
  public void changeBacking(@Nullable String name, @Nullable String format) throws BlockException {
    simulation.require(!closed, "I8", node + " is renamed although it is closed");
    simulation.require(!node.isReadOnly(), "I18", node + " is renamed although it is read-only");
    serve();
    backingName = name;
  }

  @Override
  public void makeEmpty() throws BlockException {
    serve();
    allocated.clear();
  }

  @Override
  public BlockDriver.PreparedReopen prepareReopen(ReopenChange change) throws BlockException {
    simulation.require(quiesced > 0, "I6", node + " is reopened without being drained");
    simulation.require(underWay == 0, "I6", node + " is reopened with requests under way");
    Coroutine.yieldNow();
    return BlockDriver.PreparedReopen.NOTHING;
  }

  @Override
  public void quiesce() {
    quiesced++;
  }

  @Override
  public void unquiesce() {
    quiesced--;
  }

  @Override
  public void preparePermissions(int used, int shared) {
    Runnable action = onPreparePermissions;
    if (action != null) {
      action.run();
    }
    Coroutine.yieldNow();
  }

  @Override
  public void commitPermissions(int used, int shared) {}

  @Override
  public void abortPermissions() {}

  @Override
  public void close() {
    simulation.require(underWay == 0, "I8", node + " is closed with requests under way");
    closed = true;
  }
}

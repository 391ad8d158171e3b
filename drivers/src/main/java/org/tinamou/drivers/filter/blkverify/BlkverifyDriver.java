package org.tinamou.drivers.filter.blkverify;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.open.FileNames;

/**
 * Makes every request to two children at once, and compares what they say. The first difference is
 * final: it is the error of that request and of all that follow.
 */
public final class BlkverifyDriver
    implements BlockDriver.Writable, BlockDriver.StatusSource, BlockDriver.Named {
  private static final int SECTOR_BYTES = 512;
  private static final int BUFFER_ALIGNMENT_BYTES = 4096;

  private final BlockNode node;
  private final Edge raw;
  private final Edge test;
  private volatile @Nullable String difference;

  BlkverifyDriver(BlockNode node, Edge raw, Edge test) {
    this.node = node;
    this.raw = raw;
    this.test = test;
  }

  /** One side's part of a request. */
  @FunctionalInterface
  private interface Side {
    void run() throws BlockException;
  }

  @Override
  public String formatName() {
    return "blkverify";
  }

  @Override
  public String exactFileName() {
    String first = FileNames.exactOrEmpty(raw.child());
    String second = FileNames.exactOrEmpty(test.child());
    return first.isEmpty() || second.isEmpty() ? "" : "blkverify:" + first + ":" + second;
  }

  @Override
  public long lengthBytes() {
    BlockDriver below = test.child().driverOrNull();
    return below == null ? 0 : below.lengthBytes();
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE.withRequestAlignment(SECTOR_BYTES);
  }

  /** Both sides at the same time; fails with what both fail with. */
  @InCoroutine
  private void both(String kind, long offset, long length, Side onTest, Side onRaw)
      throws BlockException {
    requireNoDifference();
    AioContext here = Coroutine.current().context();
    AioContext.Forked<@Nullable BlockException> other =
        here.fork("blkverify raw", () -> outcome(onRaw));
    BlockException testFailure = outcome(onTest);
    BlockException rawFailure;
    try {
      rawFailure = other.join();
    } catch (Exception e) {
      throw new IllegalStateException("an outcome is no exception", e);
    }
    if (result(testFailure) != result(rawFailure)) {
      throw differing(
          "%s offset=%d bytes=%d return value mismatch %d != %d"
              .formatted(kind, offset, length, result(testFailure), result(rawFailure)));
    }
    if (testFailure != null) {
      throw testFailure;
    }
  }

  private static @Nullable BlockException outcome(Side side) {
    try {
      side.run();
      return null;
    } catch (BlockException e) {
      return e;
    }
  }

  private static int result(@Nullable BlockException failure) {
    return failure == null ? 0 : -failure.errno().number();
  }

  private void requireNoDifference() throws BlockException {
    String known = difference;
    if (known != null) {
      throw new BlockException(Errno.EIO, known);
    }
  }

  private BlockException differing(String what) {
    String message = "blkverify: " + what;
    difference = message;
    return new BlockException(Errno.EIO, message);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    long length = buffer.sizeBytes();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment copy = arena.allocate(length, BUFFER_ALIGNMENT_BYTES);
      both(
          "read",
          offsetBytes,
          length,
          () -> test.read(offsetBytes, buffer, flags),
          () -> raw.read(offsetBytes, IoVector.of(copy), flags));
      long mismatch = mismatch(buffer, copy);
      if (mismatch >= 0) {
        throw differing(
            "read offset=%d bytes=%d contents mismatch at offset %d"
                .formatted(offsetBytes, length, offsetBytes + mismatch));
      }
    }
  }

  /** Where the buffers differ first, or -1. */
  private static long mismatch(IoVector buffer, MemorySegment copy) {
    long position = 0;
    for (MemorySegment segment : buffer.segments()) {
      long found = segment.mismatch(copy.asSlice(position, segment.byteSize()));
      if (found >= 0) {
        return position + found;
      }
      position += segment.byteSize();
    }
    return -1;
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    both(
        "write",
        offsetBytes,
        buffer.sizeBytes(),
        () -> test.write(offsetBytes, buffer, flags),
        () -> raw.write(offsetBytes, buffer, flags));
  }

  @Override
  public int writeFlags() {
    return test.writeFlags() & raw.writeFlags();
  }

  @Override
  public void flush() throws BlockException {
    requireNoDifference();
  }

  /** All of it is data: finding out more is the children's business. */
  @Override
  public BlockStatus blockStatus(long offsetBytes, long lengthBytes, boolean wantZero) {
    int flags = BlockStatus.DATA | BlockStatus.OFFSET_VALID | BlockStatus.ALLOCATED;
    return new BlockStatus(lengthBytes, flags, offsetBytes, node);
  }

  @Override
  public void close() {}
}

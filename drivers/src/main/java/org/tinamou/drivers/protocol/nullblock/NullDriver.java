package org.tinamou.drivers.protocol.nullblock;

import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.RequestFlags;

/** Takes everything and keeps nothing, after a delay if one is asked for. */
public final class NullDriver
    implements BlockDriver.ZeroWriter,
        BlockDriver.StatusSource,
        BlockDriver.Discarder,
        BlockDriver.Reopenable,
        BlockDriver.Named {
  /** The size where none is given. */
  public static final long DEFAULT_LENGTH_BYTES = 1L << 30;

  private final String name;
  private final long latencyNanos;
  private final boolean readZeroes;
  private final boolean named;
  private final long lengthBytes;

  /**
   * A disk that exists only in its answers.
   *
   * @param name "null-co" or "null-aio"
   * @param latencyNanos what every request takes
   * @param readZeroes whether reads fill their buffer; otherwise it stays as it is
   */
  public NullDriver(String name, long lengthBytes, long latencyNanos, boolean readZeroes) {
    this(name, lengthBytes, latencyNanos, readZeroes, false);
  }

  NullDriver(String name, long lengthBytes, long latencyNanos, boolean readZeroes, boolean named) {
    this.name = name;
    this.named = named;
    this.lengthBytes = lengthBytes;
    this.latencyNanos = latencyNanos;
    this.readZeroes = readZeroes;
  }

  private void delay() {
    if (latencyNanos > 0) {
      Coroutine.current().context().sleep(ClockType.REALTIME, latencyNanos);
    }
  }

  @Override
  public String formatName() {
    return name;
  }

  @Override
  public String exactFileName() {
    return named ? name + "://" : "";
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
    if (readZeroes) {
      buffer.fill((byte) 0);
    }
    delay();
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    delay();
  }

  @Override
  public int writeFlags() {
    return ~RequestFlags.COMPRESSED;
  }

  @Override
  public void flush() throws BlockException {
    delay();
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytesToZero, int flags) {
    delay();
    return true;
  }

  @Override
  public int zeroFlags() {
    return -1;
  }

  @Override
  public BlockStatus blockStatus(long offsetBytes, long length, boolean wantZero) {
    int known = readZeroes ? BlockStatus.ZERO | BlockStatus.ALLOCATED : 0;
    return new BlockStatus(length, BlockStatus.OFFSET_VALID | known, offsetBytes, null);
  }

  @Override
  public boolean discard(long offsetBytes, long length) {
    delay();
    return true;
  }

  @Override
  public PreparedReopen prepareReopen(ReopenChange change) {
    return PreparedReopen.NOTHING;
  }

  @Override
  public void close() {}
}

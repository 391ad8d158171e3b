package org.tinamou.testkit.net;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.nbd.server.NbdExport;
import org.tinamou.nbd.wire.Nbd;

/** An export in memory, whose requests take effect at once and end after some time. */
public final class MemoryExport implements NbdExport {
  private static final long MAX_DELAY_NANOS = 300_000;

  private final SeededRandom random;
  private final byte[] bytes;
  private final boolean multiConnection;
  private int failPercent;
  private int underWay;

  public MemoryExport(SeededRandom random, int sizeBytes, boolean multiConnection) {
    this.random = random;
    this.bytes = new byte[sizeBytes];
    this.multiConnection = multiConnection;
  }

  /** How many requests fail from now on. */
  public void setFailPercent(int percent) {
    failPercent = percent;
  }

  /** Requests that have not ended. */
  public int underWay() {
    return underWay;
  }

  /** What it holds. */
  public byte[] bytes() {
    return bytes;
  }

  private void delay() throws ErrnoException {
    underWay++;
    try {
      if (random.nextBoolean()) {
        Coroutine.current().context().sleep(ClockType.REALTIME, random.nextLong(MAX_DELAY_NANOS));
      }
      if (failPercent > 0 && random.chance(failPercent, 100)) {
        throw new ErrnoException(Errno.EIO, "simulated");
      }
    } finally {
      underWay--;
    }
  }

  @Override
  public String name() {
    return "";
  }

  @Override
  public String description() {
    return "";
  }

  @Override
  public long sizeBytes() {
    return bytes.length;
  }

  @Override
  public boolean isReadOnly() {
    return false;
  }

  @Override
  public boolean isMultiConnection() {
    return multiConnection;
  }

  @Override
  public int minimumBlockBytes() {
    return 1;
  }

  @Override
  public int preferredBlockBytes() {
    return 4096;
  }

  @Override
  public List<String> contexts() {
    return List.of(Nbd.BASE_ALLOCATION, Nbd.ALLOCATION_DEPTH);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer) throws ErrnoException {
    long at = offsetBytes;
    for (MemorySegment each : buffer.segments()) {
      MemorySegment.copy(
          bytes, (int) at, each, ValueLayout.JAVA_BYTE, 0, Math.toIntExact(each.byteSize()));
      at += each.byteSize();
    }
    delay();
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, boolean forceUnitAccess)
      throws ErrnoException {
    long at = offsetBytes;
    for (MemorySegment each : buffer.segments()) {
      MemorySegment.copy(
          each, ValueLayout.JAVA_BYTE, 0, bytes, (int) at, Math.toIntExact(each.byteSize()));
      at += each.byteSize();
    }
    delay();
  }

  @Override
  public void flush() throws ErrnoException {
    delay();
  }

  @Override
  public void trim(long offsetBytes, long lengthBytes, boolean forceUnitAccess)
      throws ErrnoException {
    clear(offsetBytes, lengthBytes);
    delay();
  }

  private void clear(long offsetBytes, long lengthBytes) {
    java.util.Arrays.fill(bytes, (int) offsetBytes, (int) (offsetBytes + lengthBytes), (byte) 0);
  }

  @Override
  public void writeZeroes(
      long offsetBytes,
      long lengthBytes,
      boolean mayUnmap,
      boolean onlyIfFast,
      boolean forceUnitAccess)
      throws ErrnoException {
    clear(offsetBytes, lengthBytes);
    delay();
  }

  @Override
  public void cache(long offsetBytes, long lengthBytes) throws ErrnoException {
    delay();
  }

  /** Pages of 512 bytes that are all zeroes are holes. */
  @Override
  public void extents(String context, long offsetBytes, long lengthBytes, ExtentSink sink)
      throws ErrnoException {
    delay();
    for (long at = offsetBytes; at < offsetBytes + lengthBytes; ) {
      long end = Math.min(offsetBytes + lengthBytes, (at & -512L) + 512);
      boolean zero = true;
      for (long i = at; i < end; i++) {
        zero &= bytes[(int) i] == 0;
      }
      long state = zero ? Nbd.STATE_HOLE | Nbd.STATE_ZERO : 0;
      long depth = zero ? 0 : 1;
      if (!sink.extent(end - at, context.equals(Nbd.ALLOCATION_DEPTH) ? depth : state)) {
        return;
      }
      at = end;
    }
  }
}

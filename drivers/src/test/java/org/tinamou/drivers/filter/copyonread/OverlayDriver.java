package org.tinamou.drivers.filter.copyonread;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;

/** A layer of sectors in memory on top of a backing file. */
final class OverlayDriver implements BlockDriver.Writable, BlockDriver.StatusSource {
  static final int SECTOR_BYTES = 512;

  final Map<Long, byte[]> sectors = new TreeMap<>();
  private final long lengthBytes;
  private final @Nullable Edge backing;

  OverlayDriver(long lengthBytes, @Nullable Edge backing) {
    this.lengthBytes = lengthBytes;
    this.backing = backing;
  }

  @Override
  public String formatName() {
    return "overlay";
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public BlockLimits limits() {
    return BlockLimits.NONE.withRequestAlignment(SECTOR_BYTES);
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    for (long done = 0; done < buffer.sizeBytes(); done += SECTOR_BYTES) {
      IoVector part = buffer.slice(done, SECTOR_BYTES);
      byte[] sector = sectors.get(offsetBytes + done);
      if (sector != null) {
        int at = 0;
        for (MemorySegment segment : part.segments()) {
          int length = (int) segment.byteSize();
          MemorySegment.copy(sector, at, segment, ValueLayout.JAVA_BYTE, 0, length);
          at += length;
        }
      } else if (backing != null) {
        backing.read(offsetBytes + done, part, 0);
      } else {
        part.fill((byte) 0);
      }
      Coroutine.yieldNow();
    }
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    for (long done = 0; done < buffer.sizeBytes(); done += SECTOR_BYTES) {
      byte[] sector = new byte[SECTOR_BYTES];
      int at = 0;
      for (MemorySegment segment : buffer.slice(done, SECTOR_BYTES).segments()) {
        int length = (int) segment.byteSize();
        MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, sector, at, length);
        at += length;
      }
      sectors.put(offsetBytes + done, sector);
      Coroutine.yieldNow();
    }
  }

  @Override
  public int writeFlags() {
    return 0;
  }

  @Override
  public void flush() {}

  @Override
  public BlockStatus blockStatus(long offsetBytes, long length, boolean wantZero) {
    boolean here = sectors.containsKey(offsetBytes);
    long end = offsetBytes + SECTOR_BYTES;
    while (end < offsetBytes + length && sectors.containsKey(end) == here) {
      end += SECTOR_BYTES;
    }
    return new BlockStatus(
        end - offsetBytes, here ? BlockStatus.DATA | BlockStatus.ALLOCATED : 0, 0, null);
  }

  @Override
  public void close() {}
}

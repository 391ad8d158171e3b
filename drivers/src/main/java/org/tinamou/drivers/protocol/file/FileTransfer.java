package org.tinamou.drivers.protocol.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.CoRwLock;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.IoEngine;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;

/**
 * Reads and writes of one descriptor that either move every byte or fail, whatever the host moves
 * at a time; past the host's cache in the units it demands.
 */
final class FileTransfer {
  /** As many segments as one call to the kernel takes. */
  private static final int MAX_SEGMENTS = 1024;

  private static final int MAX_MISSES = 6;
  private static final long EINTR = -Errno.EINTR.number();

  private final AioContext context;
  private final int fd;
  private final int unitBytes;
  private final int memoryBytes;

  /**
   * Whether data is in the host's cache is not asked as long as it was not for some time. Guesses,
   * so loops may disturb each other.
   */
  private int misses;

  private int asksWithoutTry;

  /** Writes of whole units share it, those that rewrite the rest of a unit do not. */
  private final CoRwLock unitLock = new CoRwLock("partial units of a file");

  FileTransfer(AioContext context, int fd, DirectLimits limits) {
    this.context = context;
    this.fd = fd;
    this.unitBytes = limits.unitBytes();
    this.memoryBytes = limits.memoryBytes();
  }

  /** Fills the buffers; what lies beyond the end of the file reads as zeroes. */
  void read(IoVector buffers, long offsetBytes) throws BlockException {
    if (isDirectlyPossible(buffers, offsetBytes)) {
      readWhole(buffers, offsetBytes);
      return;
    }
    long start = AlignedMemory.roundDown(offsetBytes, unitBytes);
    long end = AlignedMemory.roundUp(offsetBytes + buffers.sizeBytes(), unitBytes);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment bounce = AlignedMemory.allocate(arena, end - start);
      readWhole(IoVector.of(bounce), start);
      copy(bounce.asSlice(offsetBytes - start, buffers.sizeBytes()), buffers, true);
    }
  }

  private void readWhole(IoVector buffers, long offsetBytes) throws BlockException {
    long done = 0;
    while (done < buffers.sizeBytes()) {
      IoVector rest = next(buffers, done);
      long moved = Coroutine.current(context).context().io().read(fd, rest, offsetBytes + done);
      if (moved == EINTR) {
        continue;
      }
      if (moved < 0) {
        throw BlockException.of(Errno.ofResult(moved), "read");
      }
      done += moved;
      if (moved == 0 || (!AlignedMemory.isAligned(moved, unitBytes) && isEnd(offsetBytes + done))) {
        buffers.slice(done).fill((byte) 0);
        return;
      }
      done = AlignedMemory.roundDown(done, unitBytes);
    }
  }

  /** Fills the buffers if that costs no wait, and says whether it has. */
  boolean readAtHand(IoVector buffers, long offsetBytes) {
    if (unitBytes != 1 || buffers.segments().size() != 1) {
      return false;
    }
    if (asksWithoutTry > 0) {
      asksWithoutTry--;
      return false;
    }
    IoEngine io = Coroutine.current(context).context().io();
    long moved = io.readAtHand(fd, buffers.segments().getFirst(), offsetBytes);
    if (moved > 0) {
      misses = 0;
      return moved == buffers.sizeBytes();
    }
    misses = Math.min(misses + 1, MAX_MISSES);
    asksWithoutTry = (1 << misses) - 2;
    return false;
  }

  /** Whether a read that ended inside of a unit has met the end of the file. */
  private boolean isEnd(long offsetBytes) throws BlockException {
    HostFiles files = context.hostFiles();
    try {
      return offsetBytes >= context.callBlocking(() -> files.status(fd).sizeBytes());
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "read");
    }
  }

  /** Writes the buffers, behind the end of the file if need be. */
  void write(IoVector buffers, long offsetBytes) throws BlockException {
    if (unitBytes == 1) {
      writeWhole(buffers, offsetBytes);
    } else if (isDirectlyPossible(buffers, offsetBytes)) {
      unitLock.readLock();
      try {
        writeWhole(buffers, offsetBytes);
      } finally {
        unitLock.unlock();
      }
    } else {
      unitLock.writeLock();
      try {
        rewriteUnits(buffers, offsetBytes);
      } finally {
        unitLock.unlock();
      }
    }
  }

  private void writeWhole(IoVector buffers, long offsetBytes) throws BlockException {
    long done = 0;
    while (done < buffers.sizeBytes()) {
      IoVector rest = next(buffers, done);
      long moved = Coroutine.current(context).context().io().write(fd, rest, offsetBytes + done);
      if (moved == EINTR) {
        continue;
      }
      if (moved <= 0) {
        // A device that takes nothing and names no error is full.
        throw BlockException.of(moved == 0 ? Errno.ENOSPC : Errno.ofResult(moved), "write");
      }
      done += moved;
    }
  }

  private void rewriteUnits(IoVector buffers, long offsetBytes) throws BlockException {
    long start = AlignedMemory.roundDown(offsetBytes, unitBytes);
    long end = AlignedMemory.roundUp(offsetBytes + buffers.sizeBytes(), unitBytes);
    HostFiles files = context.hostFiles();
    try (Arena arena = Arena.ofShared()) {
      long sizeBefore = context.callBlocking(() -> files.status(fd).sizeBytes());
      MemorySegment bounce = AlignedMemory.allocate(arena, end - start);
      readWhole(IoVector.of(bounce), start);
      copy(bounce.asSlice(offsetBytes - start, buffers.sizeBytes()), buffers, false);
      writeWhole(IoVector.of(bounce), start);
      long wantedSize = Math.max(sizeBefore, offsetBytes + buffers.sizeBytes());
      if (end > wantedSize) {
        context.callBlocking(
            () -> {
              files.truncate(fd, wantedSize);
              return true;
            });
      }
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "write");
    }
  }

  private boolean isDirectlyPossible(IoVector buffers, long offsetBytes) {
    if (unitBytes == 1) {
      return true;
    }
    if (!AlignedMemory.isAligned(offsetBytes, unitBytes)) {
      return false;
    }
    for (MemorySegment segment : buffers.segments()) {
      if (!AlignedMemory.isAligned(segment.byteSize(), unitBytes)
          || !AlignedMemory.isAligned(segment.address(), memoryBytes)) {
        return false;
      }
    }
    return true;
  }

  private static IoVector next(IoVector buffers, long done) {
    if (done == 0 && buffers.segments().size() <= MAX_SEGMENTS) {
      return buffers;
    }
    List<MemorySegment> rest = buffers.slice(done).segments();
    return IoVector.of(rest.subList(0, Math.min(rest.size(), MAX_SEGMENTS)));
  }

  private static void copy(MemorySegment bounce, IoVector buffers, boolean outOfBounce) {
    long position = 0;
    for (MemorySegment segment : buffers.segments()) {
      MemorySegment part = bounce.asSlice(position, segment.byteSize());
      if (outOfBounce) {
        segment.copyFrom(part);
      } else {
        part.copyFrom(segment);
      }
      position += segment.byteSize();
    }
  }
}

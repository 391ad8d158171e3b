package org.tinamou.drivers.filter.preallocate;

import org.tinamou.aio.CoMutex;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.ReopenChange;
import org.tinamou.drivers.filter.FilterDriver;

/**
 * Reserves space behind the end whenever a write reaches beyond it, and gives back at the end what
 * was not used. What it shows ends where the data ends.
 */
public final class PreallocateDriver extends FilterDriver implements BlockDriver.PermissionMapper {
  private static final int SECTOR_BYTES = 512;

  /**
   * How much is reserved.
   *
   * @param alignBytes a multiple of this, above 0
   * @param bytes beyond what is written
   */
  public record Sizes(long alignBytes, long bytes) {}

  private volatile Sizes sizes;
  private final CoMutex growing = new CoMutex("preallocation");

  /** Where the data ends and where the reserved space does; equal if there is none. */
  private volatile long dataEnd;

  private volatile long reservedEnd;

  PreallocateDriver(Edge file, Sizes sizes) throws BlockException {
    super(file);
    this.sizes = sizes;
    dataEnd = file.lengthBytes();
    reservedEnd = dataEnd;
  }

  private boolean hasReserve() {
    return reservedEnd > dataEnd;
  }

  @Override
  public String formatName() {
    return "preallocate";
  }

  @Override
  public long lengthBytes() {
    return hasReserve() ? (dataEnd + SECTOR_BYTES - 1) & -SECTOR_BYTES : super.lengthBytes();
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    long end = offsetBytes + buffer.sizeBytes();
    reserve(end);
    super.write(offsetBytes, buffer, flags);
    dataUpTo(end);
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    long end = offsetBytes + lengthBytes;
    reserve(end);
    boolean done = super.writeZeroes(offsetBytes, lengthBytes, flags);
    if (done) {
      dataUpTo(end);
    }
    return done;
  }

  /** Sees to it that a write up to there lies inside of the file, if that can be had. */
  @InCoroutine
  private void reserve(long end) {
    if (end <= reservedEnd || (file().permissions() & Permission.RESIZE) == 0) {
      return;
    }
    growing.lock();
    try {
      if (end <= reservedEnd) {
        return;
      }
      Sizes now = sizes;
      long wanted =
          (end + now.bytes() + now.alignBytes() - 1) / now.alignBytes() * now.alignBytes();
      try {
        file().truncate(wanted, false, PreallocationMode.FALLOC);
        reservedEnd = wanted;
      } catch (BlockException noSpaceAhead) {
        // The write makes the file longer itself, or fails for what it is.
        return;
      }
    } finally {
      growing.unlock();
    }
  }

  @InCoroutine
  private void dataUpTo(long end) {
    if (end <= dataEnd) {
      return;
    }
    growing.lock();
    try {
      dataEnd = Math.max(dataEnd, end);
      reservedEnd = Math.max(reservedEnd, end);
    } finally {
      growing.unlock();
    }
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    growing.lock();
    try {
      // Space that is asked for must not be taken for space that was reserved.
      giveBackLocked();
      super.truncate(lengthBytes, exact, preallocation);
      dataEnd = file().lengthBytes();
      reservedEnd = dataEnd;
    } finally {
      growing.unlock();
    }
  }

  @InCoroutine
  private void giveBack() throws BlockException {
    growing.lock();
    try {
      giveBackLocked();
    } finally {
      growing.unlock();
    }
  }

  private void giveBackLocked() throws BlockException {
    if (hasReserve()) {
      file().truncate(dataEnd, true, PreallocationMode.OFF);
      reservedEnd = dataEnd;
    }
  }

  /** While there is reserved space to give back, it keeps what it needs for that. */
  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    if ((used & Permission.WRITE) == 0 && !hasReserve()) {
      return new PermissionPair(used, shared);
    }
    int writing = Permission.WRITE | Permission.RESIZE;
    return new PermissionPair(used | writing, shared & ~writing);
  }

  @Override
  public void close() {
    if (!hasReserve()) {
      return;
    }
    try {
      file().truncate(dataEnd, true, PreallocationMode.OFF);
    } catch (BlockException tooLong) {
      // A file that is longer than its data is good all the same.
      return;
    }
  }

  /** Before it can be written no more, reserved space goes back to the host. */
  @Override
  public PreparedReopen prepareReopen(ReopenChange change) throws BlockException {
    if (change.options().readOnly()) {
      giveBack();
    }
    if (!(change.driverOptions() instanceof Sizes next)) {
      return PreparedReopen.NOTHING;
    }
    return new PreparedReopen() {
      @Override
      public void commit() {
        sizes = next;
      }

      @Override
      public void abort() {}
    };
  }
}

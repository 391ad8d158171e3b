package org.tinamou.drivers.filter.copyonread;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.CoRwLock;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.copy.ChainStatus;
import org.tinamou.drivers.filter.FilterDriver;

/**
 * Writes what a read brings up from below the child into the child, so that the next read finds it
 * there. Readers see nothing of it, so the permission for unchanged writes is enough.
 *
 * <p>Whoever copies up holds the lock alone: a write that came in between would be lost.
 */
public final class CopyOnReadDriver extends FilterDriver
    implements BlockDriver.PermissionMapper, BlockDriver.Unnoticed {
  private final boolean ofJob;
  private final @Nullable BlockNode bottom;
  private final CoRwLock copying = new CoRwLock("copy on read");

  /**
   * @param bottom what lies below it is not copied; null for no limit. The driver holds a reference
   */
  CopyOnReadDriver(Edge file, @Nullable BlockNode bottom) {
    this(file, bottom, false);
  }

  private CopyOnReadDriver(Edge file, @Nullable BlockNode bottom, boolean ofJob) {
    super(file);
    this.bottom = bottom;
    this.ofJob = ofJob;
  }

  @Override
  public @Nullable BlockNode behind() {
    return ofJob ? file().child() : null;
  }

  /**
   * The driver of a node that a job opens in front of another one, without options.
   *
   * @param bottom the lowest image that is copied from
   */
  @InCoroutine
  public static CopyOnReadDriver above(BlockNode node, BlockNode target, BlockNode bottom)
      throws BlockException {
    Edge file =
        node.attachChild(
            "file",
            Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
            target,
            Permission.CONSISTENT_READ,
            Permission.ALL);
    node.graph().reference(bottom);
    return new CopyOnReadDriver(file, bottom, true);
  }

  @Override
  public String formatName() {
    return "copy-on-read";
  }

  @Override
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    for (long done = 0; done < buffer.sizeBytes(); ) {
      long at = offsetBytes + done;
      long left = buffer.sizeBytes() - done;
      BlockStatus status = file().status(at, left, false);
      long length = Math.min(left, status.lengthBytes());
      if (isInChild(status)) {
        file().read(at, buffer.slice(done, length), flags);
      } else {
        length = copyUp(at, buffer.slice(done, length), flags);
      }
      done += length;
    }
  }

  private static boolean isInChild(BlockStatus status) {
    return status.has(BlockStatus.ALLOCATED);
  }

  /** Reads the first part of the buffer, and writes it to the child unless it is there by now. */
  private long copyUp(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    copying.writeLock();
    try {
      BlockStatus status = file().status(offsetBytes, buffer.sizeBytes(), false);
      long length = Math.min(buffer.sizeBytes(), status.lengthBytes());
      boolean copy = !isInChild(status);
      boolean zero = false;
      if (copy && bottom != null) {
        Edge below = Edge.below(bottom);
        ChainStatus chain =
            ChainStatus.of(file(), below == null ? null : below.child(), offsetBytes, length);
        length = Math.min(length, chain.lengthBytes());
        copy = chain.allocated();
        zero = chain.zero();
      }
      IoVector part = buffer.slice(0, length);
      file().read(offsetBytes, part, flags & ~RequestFlags.PREFETCH);
      if (copy) {
        file().announce(DebugEvent.COR_WRITE);
        if (zero) {
          file().writeZeroes(offsetBytes, length, RequestFlags.WRITE_UNCHANGED);
        } else {
          file().write(offsetBytes, part, RequestFlags.WRITE_UNCHANGED);
        }
      }
      return length;
    } finally {
      copying.unlock();
    }
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    copying.readLock();
    try {
      super.write(offsetBytes, buffer, flags);
    } finally {
      copying.unlock();
    }
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    copying.readLock();
    try {
      return super.writeZeroes(offsetBytes, lengthBytes, flags);
    } finally {
      copying.unlock();
    }
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    copying.readLock();
    try {
      return super.discard(offsetBytes, lengthBytes);
    } finally {
      copying.unlock();
    }
  }

  /** A job's filter through which nobody reads any more does not write, though it is still held. */
  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    int copies = ofJob && used == 0 ? 0 : Permission.WRITE_UNCHANGED;
    return new PermissionPair(used | copies, shared | Permission.WRITE_UNCHANGED);
  }

  @Override
  public void close() {
    BlockNode held = bottom;
    if (held != null) {
      held.graph().release(held);
    }
  }
}

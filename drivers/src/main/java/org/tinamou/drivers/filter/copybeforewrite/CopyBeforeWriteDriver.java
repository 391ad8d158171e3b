package org.tinamou.drivers.filter.copybeforewrite;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.Edge;
import org.tinamou.block.Permission;
import org.tinamou.block.PermissionPair;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.copy.BlockCopy;
import org.tinamou.drivers.copy.BusyRanges;
import org.tinamou.drivers.copy.BusyRanges.Range;
import org.tinamou.drivers.copy.CopyFailure;
import org.tinamou.drivers.filter.FilterDriver;
import org.tinamou.drivers.filter.snapshotaccess.SnapshotSource;

/**
 * Copies the old data of clusters to a target before they are written over. Both together show the
 * disk as it was when the filter came: what has been written over is at the target, the rest still
 * in its place.
 *
 * <p>A reader of old data that finds them in place holds back writes there until he has read; that
 * a cluster is at the target is known before its write starts, so one of the two sees the other.
 */
public final class CopyBeforeWriteDriver extends FilterDriver
    implements BlockDriver.PermissionMapper, BlockDriver.NamedAsOther, SnapshotSource {
  private final BlockNode node;
  private final Edge target;
  private final BlockCopy copy;
  private final CopySettings settings;

  /** What readers may still ask for. */
  private final DirtyBitmap readable;

  /** What is at the target, or was not wanted there; changed under the readers' lock. */
  private final DirtyBitmap moved;

  /** Who reads old data in their place. */
  private final BusyRanges readers = new BusyRanges();

  private final List<Runnable> shown;
  private volatile @Nullable BlockException broken;

  private CopyBeforeWriteDriver(
      BlockNode node,
      Edge file,
      Edge target,
      BlockCopy copy,
      DirtyBitmap readable,
      DirtyBitmap moved,
      List<Runnable> shown,
      CopySettings settings) {
    super(file);
    this.shown = shown;
    this.node = node;
    this.target = target;
    this.copy = copy;
    this.readable = readable;
    this.moved = moved;
    this.settings = settings;
  }

  /**
   * The driver of a new node.
   *
   * @param bitmap what is to be kept; null for everything
   */
  @InCoroutine
  public static CopyBeforeWriteDriver open(
      BlockNode node, Edge file, Edge target, @Nullable DirtyBitmap bitmap, CopySettings settings)
      throws BlockException {
    long length = file.lengthBytes();
    long cluster = clusterBytes(target, settings.minClusterBytes());
    DirtyBitmap pending = new DirtyBitmap(null, length, cluster);
    DirtyBitmap readable = new DirtyBitmap(null, length, cluster);
    if (bitmap == null) {
      pending.mark(0, length);
      readable.mark(0, length);
    } else {
      pending.merge(bitmap);
      readable.merge(bitmap);
    }
    BlockCopy copy =
        new BlockCopy(
            file,
            target,
            pending,
            new BlockCopy.Settings(
                cluster,
                settings.compress(),
                shows(target.child(), file.child()),
                settings.useCopyRange(),
                settings.discardSource()));
    DirtyBitmap moved = new DirtyBitmap(null, length, cluster);
    List<Runnable> shown =
        List.of(
            file.child().bitmaps().show(pending, false),
            node.bitmaps().show(moved, false),
            node.bitmaps().show(readable, false));
    return new CopyBeforeWriteDriver(node, file, target, copy, readable, moved, shown, settings);
  }

  private static long clusterBytes(Edge target, long leastBytes) {
    for (BlockNode at = target.child(); at != null; at = filtered(at)) {
      if (at.driverOrNull() instanceof ImageDescription.Source source) {
        return Math.max(leastBytes, source.description().clusterBytes());
      }
    }
    return leastBytes;
  }

  private static @Nullable BlockNode filtered(BlockNode node) {
    return node.driverOrNull() instanceof FilterDriver ? node.primaryChild() : null;
  }

  /** Whether a chain of backing files and filters leads from one node to the other. */
  private static boolean shows(BlockNode top, BlockNode bottom) {
    for (BlockNode at = top; at != null; ) {
      if (at == bottom) {
        return true;
      }
      Edge below = Edge.below(at);
      at = below == null ? null : below.child();
    }
    return false;
  }

  /** The copy that guests' writes and a job have a part in. */
  @AnyThread
  public BlockCopy copy() {
    return copy;
  }

  /** Where the old data go. */
  @AnyThread
  public Edge target() {
    return target;
  }

  /** Why the snapshot is of no use any more; null if it is. */
  @AnyThread
  public @Nullable BlockException broken() {
    return broken;
  }

  /** Nobody wants the snapshot any more: guests' writes do not wait for copies, nor fail. */
  @AnyThread
  public void abandon() {
    readers.lock.lock();
    try {
      if (broken == null) {
        broken = BlockException.of(Errno.ECANCELED, "copy before write");
      }
    } finally {
      readers.lock.unlock();
    }
  }

  @Override
  public BlockNode namesake() {
    return file().child();
  }

  @Override
  public String formatName() {
    return "copy-before-write";
  }

  // ------------------------------------------------------------------------------ guests' requests

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    keep(offsetBytes, buffer.sizeBytes(), flags);
    super.write(offsetBytes, buffer, flags);
  }

  @Override
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    keep(offsetBytes, lengthBytes, flags);
    return super.writeZeroes(offsetBytes, lengthBytes, flags);
  }

  @Override
  public boolean discard(long offsetBytes, long lengthBytes) throws BlockException {
    keep(offsetBytes, lengthBytes, 0);
    return super.discard(offsetBytes, lengthBytes);
  }

  @Override
  public void truncate(long lengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    keep(lengthBytes, Math.max(0, lengthBytes() - lengthBytes), 0);
    super.truncate(lengthBytes, exact, preallocation);
  }

  /** The target is flushed by who reads it, and its failures are not the guest's. */
  @Override
  public boolean flushesChild(Edge edge) {
    return edge != target;
  }

  /** Has the old data of a range copied, and waits for those who read them here. */
  private void keep(long offset, long length, int flags) throws BlockException {
    if ((flags & RequestFlags.WRITE_UNCHANGED) != 0) {
      return;
    }
    long start = copy.clusterStart(offset);
    long end = copy.clusterEnd(offset + length);
    if (start >= end) {
      return; // behind the end of the snapshot
    }
    if (broken == null) {
      CopyFailure failure =
          settings.timeoutNanos() == 0
              ? copy.copy(start, end, () -> broken != null)
              : copyInTime(start, end);
      if (failure != null && !settings.breaksSnapshot() && broken == null) {
        throw failure.cause();
      }
      readers.lock.lock();
      try {
        if (failure == null && broken == null) {
          moved.mark(start, end - start);
        } else if (failure != null && broken == null) {
          broken = failure.cause();
        }
      } finally {
        readers.lock.unlock();
      }
    }
    // Also when the snapshot is broken: who has begun to read still gets the old data.
    readers.awaitNone(start, end);
  }

  /** A copy that somebody waits for, but not for ever. */
  private static final class Waited {
    final AtomicBoolean givenUp = new AtomicBoolean();
    volatile @Nullable CopyFailure failure;
    volatile boolean done;
  }

  private @Nullable CopyFailure copyInTime(long start, long end) {
    Waited waited = new Waited();
    Coroutine self = Coroutine.current();
    AioContext here = self.context();
    node.work()
        .spawn(
            "copy before write",
            () -> {
              waited.failure = copy.copy(start, end, waited.givenUp::get);
              waited.done = true;
              self.wake();
            });
    AioTimer timer =
        here.timer(
            ClockType.REALTIME,
            "copy before write",
            () -> {
              waited.givenUp.set(true);
              self.wake();
            });
    timer.armIn(settings.timeoutNanos());
    while (!waited.done && !waited.givenUp.get()) {
      Coroutine.suspend("copy before write");
    }
    timer.cancel();
    if (waited.givenUp.get()) { // also if it has ended since: it may have stopped in the middle
      return new CopyFailure(BlockException.of(Errno.ETIMEDOUT, "copy before write"), false);
    }
    return waited.failure;
  }

  // ------------------------------------------------------------------------------- reading old
  // data

  /** Where the first part of a range can be read; {@code held} keeps writes off it meanwhile. */
  private record Place(Edge edge, long lengthBytes, @Nullable Range held) {}

  private Place find(long offset, long length) throws BlockException {
    readers.lock.lock();
    try {
      if (broken != null) {
        throw BlockException.of(Errno.EACCES, "the snapshot is broken");
      }
      if (offset + length > readable.sizeBytes() || readable.nextClean(offset, length) >= 0) {
        throw BlockException.of(Errno.EACCES, "no part of the snapshot");
      }
      if (moved.isDirty(offset)) {
        long clean = moved.nextClean(offset, length);
        return new Place(target, clean < 0 ? length : clean - offset, null);
      }
      long dirty = moved.nextDirty(offset, length);
      long part = dirty < 0 ? length : dirty - offset;
      return new Place(file(), part, readers.add(offset, offset + part));
    } finally {
      readers.lock.unlock();
    }
  }

  private void leave(Place place) {
    Range held = place.held();
    if (held != null) {
      readers.remove(held);
    }
  }

  @Override
  public void readSnapshot(long offsetBytes, IoVector buffer) throws BlockException {
    for (long done = 0; done < buffer.sizeBytes(); ) {
      Place place = find(offsetBytes + done, buffer.sizeBytes() - done);
      try {
        place.edge().read(offsetBytes + done, buffer.slice(done, place.lengthBytes()), 0);
      } finally {
        leave(place);
      }
      done += place.lengthBytes();
    }
  }

  @Override
  public BlockStatus snapshotStatus(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    Place place = find(offsetBytes, lengthBytes);
    try {
      long length = place.lengthBytes();
      BlockStatus status = place.edge().status(offsetBytes, length, wantZero);
      long known = Math.min(length, status.lengthBytes());
      boolean zero =
          status.has(BlockStatus.ALLOCATED)
              ? status.has(BlockStatus.ZERO)
              : place.edge().readsAsZeroes(offsetBytes, known);
      int flags = BlockStatus.ALLOCATED | (zero ? BlockStatus.ZERO : BlockStatus.DATA);
      return new BlockStatus(known, flags, 0, null);
    } finally {
      leave(place);
    }
  }

  @Override
  public void discardSnapshot(long offsetBytes, long lengthBytes) throws BlockException {
    long start = copy.clusterEnd(offsetBytes);
    long end = offsetBytes + lengthBytes;
    end = end >= readable.sizeBytes() ? readable.sizeBytes() : copy.clusterStart(end);
    if (start >= end) {
      return;
    }
    readers.lock.lock();
    try {
      readable.reset(start, end - start);
    } finally {
      readers.lock.unlock();
    }
    copy.forget(start, end);
    target.discard(start, end - start);
  }

  // ------------------------------------------------------------------------------- the node's
  // parents

  /**
   * As long as nobody is above it others may write to the disk, so that the filter can be put in
   * their way.
   */
  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared) {
    return childPermissions(edge, used, shared, !node.parents().isEmpty());
  }

  @Override
  public PermissionPair childPermissions(Edge edge, int used, int shared, boolean hasParents) {
    if (edge == target) {
      return new PermissionPair(
          Permission.WRITE | Permission.CONSISTENT_READ, Permission.ALL & ~Permission.RESIZE);
    }
    int ownUse = Permission.CONSISTENT_READ | (settings.discardSource() ? Permission.WRITE : 0);
    return hasParents
        ? new PermissionPair(used | ownUse, shared & ~(Permission.WRITE | Permission.RESIZE))
        : new PermissionPair(ownUse, Permission.ALL);
  }

  @Override
  public void close() {
    shown.forEach(Runnable::run);
    copy.close();
  }
}

package org.tinamou.drivers.protocol.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.BlockingCall;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.host.FallocateMode;

/**
 * One open host file or device.
 *
 * <p>Requests come from coroutines of any loop, many at a time; opening, reopening, locking and
 * closing belong to one coroutine at a time. Offsets and lengths are in bytes and need no
 * alignment. Buffers are off-heap and stay the caller's; they must live until the call returns.
 * Reads beyond the end of the file deliver zeroes and writes there extend it: whoever stands above
 * keeps requests inside of the disk.
 */
public final class FileDriver {
  private static final int ZERO_PIECE_BYTES = 1 << 20;

  private final AioContext context;
  private final HostFiles files;
  private final FileOpener opener;
  private final int fd;
  private final Path path;
  private final FileOptions options;

  /** As it was when it was opened. */
  private final HostFiles.Status status;

  private final ImageLocks locks;

  /** What changes when it is reopened. */
  private volatile Access access;

  private volatile @Nullable Errno lostFlush;

  /** Counts changes, and how many of them are known to be on the disk. */
  private final AtomicLong changes = new AtomicLong();

  private final AtomicLong flushedChanges = new AtomicLong();
  private volatile boolean canPunch = true;
  private volatile boolean canZeroRange = true;
  private final FileExtents extents;

  private boolean closed;

  /** How the descriptor was opened, and what follows from that. */
  private record Access(
      boolean writable, boolean direct, DirectLimits limits, FileTransfer transfer) {
    static Access of(
        AioContext context, int fd, HostFiles.Status status, boolean writable, boolean direct) {
      DirectLimits limits = direct ? DirectLimits.probe(fd, status) : DirectLimits.NONE;
      FileTransfer transfer = new FileTransfer(context, fd, limits);
      return new Access(writable, direct, limits, transfer);
    }
  }

  private FileDriver(
      AioContext context,
      FileOpener opener,
      int fd,
      Path path,
      FileOptions options,
      HostFiles.Status status) {
    this.context = context;
    this.opener = opener;
    this.files = context.hostFiles();
    this.fd = fd;
    this.path = path;
    this.options = options;
    this.status = status;
    this.access = Access.of(context, fd, status, !options.readOnly(), options.cache().isDirect());
    this.locks = new ImageLocks(files, fd);
    this.extents = new FileExtents(context, fd);
  }

  /**
   * Opens a file or device and takes its locks.
   *
   * @param name what messages call it
   */
  @InCoroutine
  public static FileDriver open(AioContext context, Path path, String name, FileOptions options)
      throws BlockException {
    FileDriver opened = openUnlocked(context, FileOpener.HOST, path, name, options);
    try {
      if (opened.kind() == HostFiles.Kind.DIRECTORY || opened.kind() == HostFiles.Kind.OTHER) {
        throw new BlockException(
            Errno.EINVAL, "'file' driver requires '" + name + "' to be a regular file");
      }
      opened.announce(options.used(), options.shared(), name);
      return opened;
    } catch (BlockException e) {
      opened.close();
      throw e;
    }
  }

  /** Opens whatever has that name. */
  @InCoroutine
  static FileDriver openUnlocked(
      AioContext context, FileOpener opener, Path path, String name, FileOptions options)
      throws BlockException {
    OpenFlag[] flags = flags(!options.readOnly(), options.cache().isDirect());
    HostFiles files = context.hostFiles();
    int fd = context.callBlocking(() -> opener.open(files, path, name, flags));
    try {
      return adopt(context, opener, fd, path, options);
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not open '" + name + "'");
    }
  }

  private static OpenFlag[] flags(boolean writable, boolean direct) {
    List<OpenFlag> flags = new ArrayList<>();
    if (writable) {
      flags.add(OpenFlag.READ_WRITE);
    }
    if (direct) {
      flags.add(OpenFlag.DIRECT);
    }
    return flags.toArray(OpenFlag[]::new);
  }

  /** Takes over a descriptor, also when this fails. */
  static FileDriver adopt(AioContext context, int fd, Path path, FileOptions options)
      throws ErrnoException {
    return adopt(context, FileOpener.HOST, fd, path, options);
  }

  private static FileDriver adopt(
      AioContext context, FileOpener opener, int fd, Path path, FileOptions options)
      throws ErrnoException {
    HostFiles files = context.hostFiles();
    try {
      HostFiles.Status status = context.callBlocking(() -> files.status(fd));
      return new FileDriver(context, opener, fd, path, options, status);
    } catch (ErrnoException e) {
      context.callBlocking(
          () -> {
            files.close(fd);
            opener.closed(files, path);
            return true;
          });
      throw e;
    }
  }

  /** Takes the locks of what is {@code used} and not {@code shared}, and drops all others. */
  void announce(int used, int shared, String name) throws BlockException {
    context.callBlocking(
        () -> {
          locks.change(used, ~shared & Permission.ALL, name);
          return true;
        });
  }

  /** The file opened a second time, differently, to take the place of the first descriptor. */
  final class Reopening {
    private final int newFd;
    private final boolean writable;
    private final boolean direct;

    private Reopening(int newFd, boolean writable, boolean direct) {
      this.newFd = newFd;
      this.writable = writable;
      this.direct = direct;
    }

    boolean isWritable() {
      return writable;
    }

    /**
     * Takes the place: requests under way keep what they have, those that come get the new one. The
     * locks are held throughout, and flushes work again if they had failed for good.
     */
    @InCoroutine
    void commit() {
      try {
        context.callBlocking(
            () -> {
              locks.passTo(newFd);
              files.replace(fd, newFd);
              opener.closed(files, path);
              return true;
            });
      } catch (ErrnoException e) {
        throw new IllegalStateException("a valid descriptor cannot be replaced", e);
      }
      access = Access.of(context, fd, status, writable, direct);
      lostFlush = null;
    }

    @InCoroutine
    void abort() {
      closeQuietly(newFd);
    }
  }

  /**
   * Opens the file once more.
   *
   * @param name what messages call it
   * @throws BlockException if it cannot be opened so, or the name means another file by now
   */
  @InCoroutine
  Reopening prepareReopen(String name, boolean writable, boolean direct) throws BlockException {
    OpenFlag[] flags = flags(writable, direct);
    int newFd = context.callBlocking(() -> opener.open(files, path, name, flags));
    try {
      HostFiles.Status now = blocking("fstat", () -> files.status(newFd));
      if (now.device() != status.device() || now.inode() != status.inode()) {
        throw new BlockException(
            Errno.ESTALE, "Could not reopen '" + name + "': it is another file now");
      }
      return new Reopening(newFd, writable, direct);
    } catch (BlockException e) {
      closeQuietly(newFd);
      throw e;
    }
  }

  /** Whether it is open for writing; under auto-read-only not before somebody writes. */
  @AnyThread
  public boolean isWritable() {
    return access.writable();
  }

  /** Whether it bypasses the host's cache. */
  @AnyThread
  public boolean isDirect() {
    return access.direct();
  }

  /** What requests have to keep to so that they need no copying. */
  DirectLimits directLimits() {
    return access.limits();
  }

  /** The smallest unit of a device; 0 for a file. */
  int logicalBlockBytes() {
    return status.logicalBlockBytes();
  }

  /** Lets go of the file, its locks included. Idempotent. */
  @InCoroutine
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    context.callBlocking(
        () -> {
          locks.release();
          return true;
        });
    closeQuietly(fd);
  }

  private void closeQuietly(int descriptor) {
    try {
      blocking(
          "close",
          () -> {
            files.close(descriptor);
            opener.closed(files, path);
            return true;
          });
    } catch (BlockException e) {
      // The descriptor is gone; what was promised to be on the disk was flushed before.
      return;
    }
  }

  public Path path() {
    return path;
  }

  @Nullable MemorySegment map(long sizeBytes, Arena arena) {
    return files.map(fd, sizeBytes, arena);
  }

  public FileOptions options() {
    return options;
  }

  public HostFiles.Kind kind() {
    return status.kind();
  }

  HostFiles.Status status() {
    return status;
  }

  /** The length of the file, or the capacity of a block device. */
  @InCoroutine
  public long lengthBytes() throws BlockException {
    return blocking("fstat", () -> files.status(fd).sizeBytes());
  }

  /** The space the file takes on the host. */
  @InCoroutine
  public long allocatedBytes() throws BlockException {
    return blocking("fstat", () -> files.status(fd).allocatedBytes());
  }

  /** Fills the segment. */
  @InCoroutine
  public void read(MemorySegment buffer, long offsetBytes) throws BlockException {
    read(IoVector.of(buffer), offsetBytes);
  }

  /** Fills the buffers in order. */
  @InCoroutine
  public void read(IoVector buffers, long offsetBytes) throws BlockException {
    access.transfer().read(buffers, offsetBytes);
  }

  /**
   * Fills the buffer if the host has the data in its cache.
   *
   * @return whether it has; if not, the buffer may have been written to
   */
  @InCoroutine
  public boolean readAtHand(IoVector buffers, long offsetBytes) {
    return access.transfer().readAtHand(buffers, offsetBytes);
  }

  /** Writes the segment. */
  @InCoroutine
  public void write(MemorySegment buffer, long offsetBytes) throws BlockException {
    write(IoVector.of(buffer), offsetBytes);
  }

  /** Writes the buffers in order. */
  @InCoroutine
  public void write(IoVector buffers, long offsetBytes) throws BlockException {
    access.transfer().write(buffers, offsetBytes);
    changed();
  }

  private void changed() throws BlockException {
    changes.incrementAndGet();
    if (options.cache().isWritethrough()) {
      flush();
    }
  }

  /**
   * Brings every write that has ended to the disk. Once that has failed, the host may have thrown
   * data away and forgotten it, so every later flush fails as well until the file is opened anew.
   */
  @InCoroutine
  public void flush() throws BlockException {
    if (!access.writable() || options.cache().isNoFlush()) {
      return;
    }
    long covered = changes.get();
    if (lostFlush == null && flushedChanges.get() < covered) {
      long result = Coroutine.current().context().io().fdatasync(fd);
      if (result < 0) {
        lostFlush = Errno.ofResult(result);
      } else {
        flushedChanges.accumulateAndGet(covered, Math::max);
      }
    }
    Errno lost = lostFlush;
    if (lost != null) {
      throw BlockException.of(lost, "flush");
    }
  }

  /** Brings everything to the disk, the length included. */
  @InCoroutine
  void sync() throws BlockException {
    long result = Coroutine.current().context().io().fsync(fd);
    if (result < 0) {
      throw BlockException.of(Errno.ofResult(result), "flush");
    }
  }

  /**
   * Makes a range read as zeroes.
   *
   * @param mayUnmap its space may be given back
   * @param onlyIfFast fail with EOPNOTSUPP rather than write zeroes
   */
  @InCoroutine
  public void writeZeroes(long offsetBytes, long lengthBytes, boolean mayUnmap, boolean onlyIfFast)
      throws BlockException {
    if (lengthBytes == 0) {
      return;
    }
    if (!(mayUnmap && punchAndExtend(offsetBytes, lengthBytes))
        && !zeroRange(offsetBytes, lengthBytes)) {
      if (onlyIfFast) {
        throw BlockException.of(Errno.EOPNOTSUPP, "write zeroes");
      }
      writeZeroBytes(offsetBytes, lengthBytes);
    }
    changed();
  }

  private boolean punchAndExtend(long offsetBytes, long lengthBytes) throws BlockException {
    if (!punch(offsetBytes, lengthBytes)) {
      return false;
    }
    if (kind() == HostFiles.Kind.REGULAR) {
      long end = offsetBytes + lengthBytes;
      blocking(
          "ftruncate",
          () -> {
            if (files.status(fd).sizeBytes() < end) {
              files.truncate(fd, end);
            }
            return true;
          });
    }
    return true;
  }

  private boolean punch(long offsetBytes, long lengthBytes) throws BlockException {
    if (!canPunch) {
      return false;
    }
    int mode = FallocateMode.PUNCH_HOLE | FallocateMode.KEEP_SIZE;
    Outcome outcome = outcome(allocate(mode, offsetBytes, lengthBytes));
    canPunch = outcome != Outcome.NEVER;
    return outcome == Outcome.DONE;
  }

  private boolean zeroRange(long offsetBytes, long lengthBytes) throws BlockException {
    if (!canZeroRange) {
      return false;
    }
    // A device has a fixed size, and says so if the mode does not.
    int keep = kind() == HostFiles.Kind.REGULAR ? 0 : FallocateMode.KEEP_SIZE;
    Outcome outcome = outcome(allocate(FallocateMode.ZERO_RANGE | keep, offsetBytes, lengthBytes));
    canZeroRange = outcome != Outcome.NEVER;
    return outcome == Outcome.DONE;
  }

  private enum Outcome {
    DONE,
    /** Not this range. */
    REFUSED,
    /** The host cannot do that with this file. */
    NEVER
  }

  private static Outcome outcome(long result) throws BlockException {
    if (result >= 0) {
      return Outcome.DONE;
    }
    return switch (Errno.ofResult(result)) {
      case EINVAL -> Outcome.REFUSED;
      case EOPNOTSUPP, ENODEV, ENOSYS, ENOTTY -> Outcome.NEVER;
      case Errno errno -> throw BlockException.of(errno, "fallocate");
    };
  }

  /** fallocate(2): 0 or a negative errno. */
  @InCoroutine
  long allocate(int mode, long offsetBytes, long lengthBytes) {
    long result;
    do {
      result = Coroutine.current().context().io().fallocate(fd, mode, offsetBytes, lengthBytes);
    } while (result == -Errno.EINTR.number());
    return result;
  }

  void writeZeroBytes(long offsetBytes, long lengthBytes) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment zeroes = AlignedMemory.allocate(arena, Math.min(lengthBytes, ZERO_PIECE_BYTES));
      for (long done = 0; done < lengthBytes; done += ZERO_PIECE_BYTES) {
        long piece = Math.min(ZERO_PIECE_BYTES, lengthBytes - done);
        access.transfer().write(IoVector.of(zeroes.asSlice(0, piece)), offsetBytes + done);
      }
    }
  }

  /**
   * Gives the space of a range back, which then reads as zeroes. Without effect where the host
   * cannot do that.
   */
  @InCoroutine
  public void discard(long offsetBytes, long lengthBytes) throws BlockException {
    if (lengthBytes == 0) {
      return;
    }
    if (punch(offsetBytes, lengthBytes)) {
      changed();
    }
  }

  /**
   * What the file has at an offset: the extent that begins there, cut off at the end of the range.
   * Everything beyond the end of the file is a hole, and everything is data where the host cannot
   * tell.
   *
   * @param lengthBytes at least 1
   */
  @InCoroutine
  public FileExtent extentAt(long offsetBytes, long lengthBytes) throws BlockException {
    return kind() == HostFiles.Kind.REGULAR
        ? extents.at(offsetBytes, lengthBytes)
        : new FileExtent(lengthBytes, true);
  }

  /**
   * Copies inside the host.
   *
   * @return the bytes copied, fewer than asked at will and 0 at the end of the source
   * @throws BlockException also, with EXDEV, EOPNOTSUPP, EINVAL or ENOSYS, where the host cannot
   *     copy between these two
   */
  @InCoroutine
  public long copyFrom(
      FileDriver source, long sourceOffsetBytes, long offsetBytes, long lengthBytes)
      throws BlockException {
    long copied =
        blocking(
            "copy",
            () -> files.copyRange(source.fd, sourceOffsetBytes, fd, offsetBytes, lengthBytes));
    changed();
    return copied;
  }

  /** Changes the length; new space is a hole or, as asked, reserved or full of zeroes. */
  @InCoroutine
  public void truncate(long sizeBytes, PreallocationMode preallocation) throws BlockException {
    changes.incrementAndGet();
    new FileResizer(this).resize(sizeBytes, preallocation);
  }

  /** ftruncate(2). */
  @InCoroutine
  void cut(long sizeBytes) throws BlockException {
    blocking(
        "Could not resize file",
        () -> {
          files.truncate(fd, sizeBytes);
          return true;
        });
  }

  private <T> T blocking(String doing, BlockingCall<T, ErrnoException> call) throws BlockException {
    try {
      return context.callBlocking(call);
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), doing);
    }
  }

  @Override
  public String toString() {
    return "file " + path;
  }
}

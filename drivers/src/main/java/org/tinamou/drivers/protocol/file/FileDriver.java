package org.tinamou.drivers.protocol.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
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
 * <p>Every method belongs to coroutines of the loop the file was opened on; any number of them may
 * be under way. Offsets and lengths are in bytes and need no alignment. Buffers are off-heap and
 * stay the caller's; they must live until the call returns. Reads beyond the end of the file
 * deliver zeroes and writes there extend it: whoever stands above keeps requests inside of the
 * disk.
 */
public final class FileDriver {
  private static final int ZERO_PIECE_BYTES = 1 << 20;
  private static final int FIRST_BLOCK_BYTES = 4096;
  private static final int SECTOR_BYTES = 512;
  private static final int[] DIRECT_UNITS = {512, 1024, 2048, 4096};

  private final AioContext context;
  private final HostFiles files;
  private final int fd;
  private final Path path;
  private final FileOptions options;
  private final HostFiles.Kind kind;
  private final FileTransfer transfer;
  private final ImageLocks locks;

  private @Nullable Errno lostFlush;

  /** Counts changes, and how many of them are known to be on the disk. */
  private long changes;

  private long flushedChanges;
  private boolean canPunch = true;
  private boolean canZeroRange = true;
  private boolean canFindHoles = true;

  /** The run of data that was found last; emptied whenever a hole may have appeared. */
  private long dataStart;

  private long dataEnd;
  private boolean closed;

  private FileDriver(
      AioContext context,
      int fd,
      Path path,
      FileOptions options,
      HostFiles.Kind kind,
      int unitBytes) {
    this.context = context;
    this.files = context.hostFiles();
    this.fd = fd;
    this.path = path;
    this.options = options;
    this.kind = kind;
    this.transfer = new FileTransfer(context, fd, unitBytes);
    this.locks = new ImageLocks(files, fd);
  }

  /**
   * Opens a file or device and takes its locks.
   *
   * @param name what messages call it
   */
  @InCoroutine
  public static FileDriver open(AioContext context, Path path, String name, FileOptions options)
      throws BlockException {
    HostFiles files = context.hostFiles();
    List<OpenFlag> flags = new ArrayList<>();
    if (!options.readOnly()) {
      flags.add(OpenFlag.READ_WRITE);
    }
    if (options.cache().isDirect()) {
      flags.add(OpenFlag.DIRECT);
    }
    FileDriver opened;
    try {
      int fd = context.callBlocking(() -> files.open(path, 0, flags.toArray(OpenFlag[]::new)));
      opened = adopt(context, fd, path, options);
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not open '" + name + "'");
    }
    try {
      if (opened.kind == HostFiles.Kind.DIRECTORY || opened.kind == HostFiles.Kind.OTHER) {
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

  /** Takes over a descriptor, also when this fails. */
  static FileDriver adopt(AioContext context, int fd, Path path, FileOptions options)
      throws ErrnoException {
    HostFiles files = context.hostFiles();
    try {
      HostFiles.Kind kind = context.callBlocking(() -> files.status(fd).kind());
      int unitBytes = options.cache().isDirect() ? probeUnit(fd) : 1;
      return new FileDriver(context, fd, path, options, kind, unitBytes);
    } catch (ErrnoException e) {
      context.callBlocking(
          () -> {
            files.close(fd);
            return true;
          });
      throw e;
    }
  }

  /**
   * The smallest unit the file can be read in past the cache; the safe choice if it cannot tell.
   */
  private static int probeUnit(int fd) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = AlignedMemory.allocate(arena, AlignedMemory.ALIGNMENT_BYTES);
      for (int unit : DIRECT_UNITS) {
        long result = Coroutine.current().context().io().read(fd, memory.asSlice(0, unit), 0);
        if (result > 0) {
          return unit;
        }
        if (result != -Errno.EINVAL.number()) {
          break;
        }
      }
    }
    return AlignedMemory.ALIGNMENT_BYTES;
  }

  /** Takes the locks of what is {@code used} and not {@code shared}, and drops all others. */
  void announce(int used, int shared, String name) throws BlockException {
    try {
      context.callBlocking(
          () -> {
            locks.change(used, ~shared & Permission.ALL);
            return true;
          });
    } catch (BlockException e) {
      throw e.withHint("Is another process using the image [" + name + "]?");
    }
  }

  /** Lets go of the file, its locks included. Idempotent. */
  @InCoroutine
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      blocking(
          "close",
          () -> {
            files.close(fd);
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

  public FileOptions options() {
    return options;
  }

  public HostFiles.Kind kind() {
    return kind;
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
    transfer.read(buffers, offsetBytes);
  }

  /** Writes the segment. */
  @InCoroutine
  public void write(MemorySegment buffer, long offsetBytes) throws BlockException {
    write(IoVector.of(buffer), offsetBytes);
  }

  /** Writes the buffers in order. */
  @InCoroutine
  public void write(IoVector buffers, long offsetBytes) throws BlockException {
    transfer.write(buffers, offsetBytes);
    changed();
  }

  private void changed() throws BlockException {
    changes++;
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
    if (options.readOnly() || options.cache().isNoFlush()) {
      return;
    }
    if (lostFlush == null && flushedChanges != changes) {
      long covered = changes;
      long result = Coroutine.current().context().io().fdatasync(fd);
      if (result < 0) {
        lostFlush = Errno.ofResult(result);
      } else {
        flushedChanges = Math.max(flushedChanges, covered);
      }
    }
    if (lostFlush != null) {
      throw BlockException.of(lostFlush, "flush");
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
    forgetData();
    if (!(mayUnmap && punchAndExtend(offsetBytes, lengthBytes))
        && !zeroRange(offsetBytes, lengthBytes)) {
      if (onlyIfFast) {
        throw BlockException.of(Errno.EOPNOTSUPP, "write zeroes");
      }
      writeZeroBytes(offsetBytes, lengthBytes);
    }
    forgetData();
    changed();
  }

  private boolean punchAndExtend(long offsetBytes, long lengthBytes) throws BlockException {
    if (!punch(offsetBytes, lengthBytes)) {
      return false;
    }
    if (kind == HostFiles.Kind.REGULAR) {
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
    if (canPunch) {
      canPunch =
          fallocate(FallocateMode.PUNCH_HOLE | FallocateMode.KEEP_SIZE, offsetBytes, lengthBytes);
    }
    return canPunch;
  }

  private boolean zeroRange(long offsetBytes, long lengthBytes) throws BlockException {
    if (canZeroRange) {
      canZeroRange = fallocate(FallocateMode.ZERO_RANGE, offsetBytes, lengthBytes);
    }
    return canZeroRange;
  }

  /** False if the host cannot do that with this file. */
  private boolean fallocate(int mode, long offsetBytes, long lengthBytes) throws BlockException {
    long result;
    do {
      result = Coroutine.current().context().io().fallocate(fd, mode, offsetBytes, lengthBytes);
    } while (result == -Errno.EINTR.number());
    if (result >= 0) {
      return true;
    }
    return switch (Errno.ofResult(result)) {
      case EOPNOTSUPP, EINVAL, ENODEV, ENOSYS, ENOTTY -> false;
      case Errno errno -> throw BlockException.of(errno, "fallocate");
    };
  }

  private void writeZeroBytes(long offsetBytes, long lengthBytes) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment zeroes = AlignedMemory.allocate(arena, Math.min(lengthBytes, ZERO_PIECE_BYTES));
      for (long done = 0; done < lengthBytes; done += ZERO_PIECE_BYTES) {
        long piece = Math.min(ZERO_PIECE_BYTES, lengthBytes - done);
        transfer.write(IoVector.of(zeroes.asSlice(0, piece)), offsetBytes + done);
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
    forgetData();
    if (punch(offsetBytes, lengthBytes)) {
      forgetData();
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
    if (offsetBytes >= dataStart && offsetBytes < dataEnd) {
      return new FileExtent(Math.min(lengthBytes, dataEnd - offsetBytes), true);
    }
    if (!canFindHoles || kind != HostFiles.Kind.REGULAR) {
      return new FileExtent(lengthBytes, true);
    }
    FileExtent found;
    try {
      found = context.callBlocking(() -> seek(offsetBytes));
    } catch (ErrnoException e) {
      canFindHoles = false;
      return new FileExtent(lengthBytes, true);
    }
    if (found.data()) {
      dataStart = offsetBytes;
      dataEnd = offsetBytes + found.lengthBytes();
    }
    return new FileExtent(Math.min(lengthBytes, found.lengthBytes()), found.data());
  }

  private FileExtent seek(long offsetBytes) throws ErrnoException {
    long data = files.nextData(fd, offsetBytes);
    if (data < 0) {
      return new FileExtent(Long.MAX_VALUE - offsetBytes, false);
    }
    if (data > offsetBytes) {
      return new FileExtent(data - offsetBytes, false);
    }
    long hole = files.nextHole(fd, offsetBytes);
    // The file may have been cut meanwhile by somebody else.
    return hole <= offsetBytes
        ? new FileExtent(Long.MAX_VALUE - offsetBytes, false)
        : new FileExtent(hole - offsetBytes, true);
  }

  private void forgetData() {
    dataStart = 0;
    dataEnd = 0;
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
    forgetData();
    changes++;
    if (kind != HostFiles.Kind.REGULAR) {
      truncateDevice(sizeBytes, preallocation);
      return;
    }
    long before = lengthBytes();
    if (preallocation != PreallocationMode.OFF && sizeBytes < before) {
      throw new BlockException(Errno.EOPNOTSUPP, "Cannot use preallocation for shrinking files");
    }
    switch (preallocation) {
      case OFF -> {
        resize(sizeBytes);
        allocateFirstBlock(before, sizeBytes);
      }
      case METADATA ->
          throw new BlockException(
              Errno.EOPNOTSUPP, "Unsupported preallocation mode: " + preallocation.text());
      case FALLOC -> {
        reserve(before, sizeBytes);
        allocateFirstBlock(before, sizeBytes);
      }
      case FULL -> fill(before, sizeBytes);
    }
  }

  /**
   * Writes zeroes to the beginning of a file that was empty, so that whoever later asks the file
   * system for the unit of direct I/O finds a block to try it on. The file is good without it.
   */
  private void allocateFirstBlock(long before, long sizeBytes) {
    int length = sizeBytes >= FIRST_BLOCK_BYTES ? FIRST_BLOCK_BYTES : SECTOR_BYTES;
    if (before == 0 && sizeBytes > 0) {
      try (Arena arena = Arena.ofShared()) {
        write(AlignedMemory.allocate(arena, length), 0);
      } catch (BlockException e) {
        return;
      }
    }
  }

  private void truncateDevice(long sizeBytes, PreallocationMode preallocation)
      throws BlockException {
    if (preallocation != PreallocationMode.OFF) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "Preallocation mode '"
              + preallocation.text()
              + "' unsupported for this non-regular file");
    }
    if (sizeBytes > lengthBytes()) {
      throw new BlockException(Errno.EINVAL, "Cannot grow device files");
    }
  }

  private void resize(long sizeBytes) throws BlockException {
    blocking(
        "Could not resize file",
        () -> {
          files.truncate(fd, sizeBytes);
          return true;
        });
  }

  private void reserve(long before, long sizeBytes) throws BlockException {
    if (sizeBytes == before) {
      return;
    }
    long result;
    do {
      result = Coroutine.current().context().io().fallocate(fd, 0, before, sizeBytes - before);
    } while (result == -Errno.EINTR.number());
    if (result < 0) {
      resize(before);
      throw BlockException.of(Errno.ofResult(result), "Could not preallocate new data");
    }
  }

  private void fill(long before, long sizeBytes) throws BlockException {
    resize(sizeBytes);
    try {
      writeZeroBytes(before, sizeBytes - before);
      long result = Coroutine.current().context().io().fsync(fd);
      if (result < 0) {
        throw BlockException.of(Errno.ofResult(result), "flush");
      }
    } catch (BlockException e) {
      resize(before);
      throw BlockException.of(e.errno(), "Could not write zeros for preallocation");
    }
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

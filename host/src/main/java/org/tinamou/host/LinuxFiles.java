package org.tinamou.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;

/**
 * File system calls. Each blocks the thread that makes it, may be made from any thread and
 * allocates nothing unless it says so. Those that return a number return a negative errno on
 * failure; calls that a signal interrupted are made again.
 *
 * <p>Buffers must be off-heap and stay alive until the call returns.
 */
public final class LinuxFiles {
  /** The most bytes one transfer moves; the kernel shortens longer ones to it. */
  public static final int MAX_TRANSFER_BYTES = 0x7ffff000;

  private static final int SEEK_SET = 0;
  private static final int SEEK_END = 2;
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int STATX_DIOALIGN = 0x2000;
  private static final int AT_FDCWD = -100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int EINTR = -Errno.EINTR.number();

  private static final MemorySegment OPEN = NativeCalls.function("open");
  private static final MemorySegment DUP3 = NativeCalls.function("dup3");
  private static final MemorySegment CLOSE = NativeCalls.function("close");
  private static final MemorySegment READ = NativeCalls.function("read");
  private static final MemorySegment WRITE = NativeCalls.function("write");
  private static final MemorySegment PREAD = NativeCalls.function("pread");
  private static final MemorySegment PWRITE = NativeCalls.function("pwrite");
  private static final MemorySegment PREADV = NativeCalls.function("preadv");
  private static final MemorySegment PWRITEV = NativeCalls.function("pwritev");
  private static final MemorySegment FSYNC = NativeCalls.function("fsync");
  private static final MemorySegment FDATASYNC = NativeCalls.function("fdatasync");
  private static final MemorySegment FALLOCATE = NativeCalls.function("fallocate");
  private static final MemorySegment FTRUNCATE = NativeCalls.function("ftruncate");
  private static final MemorySegment LSEEK = NativeCalls.function("lseek");
  private static final MemorySegment STATX = NativeCalls.function("statx");
  private static final MemorySegment COPY_FILE_RANGE = NativeCalls.function("copy_file_range");
  private static final MemorySegment POSIX_FADVISE = NativeCalls.function("posix_fadvise");
  private static final MemorySegment SYNC_FILE_RANGE = NativeCalls.function("sync_file_range");

  private LinuxFiles() {}

  /**
   * Opens a file, always close-on-exec. The name goes to the kernel as UTF-8. Allocates.
   *
   * @param flags bits of {@link OpenFlags}
   * @param permissions what a created file gets, before the umask
   * @return the descriptor or a negative errno
   */
  public static int open(String path, int flags, int permissions) {
    Check.argument(path.indexOf('\0') < 0, "a file name cannot contain a zero byte");
    try (Arena arena = Arena.ofConfined()) {
      long name = arena.allocateFrom(path).address();
      int result;
      do {
        result = NativeCalls.callInt(OPEN, name, flags | OpenFlags.CLOSE_ON_EXEC, permissions, 0);
      } while (result == EINTR);
      return result;
    }
  }

  /** Closes a descriptor; it is gone whatever the result says. */
  public static int close(int fd) {
    return NativeCalls.callInt(CLOSE, fd, 0, 0, 0);
  }

  /**
   * Lets a descriptor denote what another one denotes, close-on-exec. What it denoted before is
   * closed when the calls that use it have ended; there is no moment at which it denotes nothing.
   */
  public static int replace(int fd, int byFd) {
    return repeatedInt(DUP3, byFd, fd, OpenFlags.CLOSE_ON_EXEC, 0);
  }

  /** Reads at the file's own position, or from a pipe or socket. */
  public static long read(int fd, MemorySegment buffer) {
    return transfer(READ, fd, buffer, 0);
  }

  /** Writes at the file's own position, or to a pipe or socket. */
  public static long write(int fd, MemorySegment buffer) {
    return transfer(WRITE, fd, buffer, 0);
  }

  /** Reads at an offset: the number of bytes, 0 at the end of the file. */
  public static long pread(int fd, MemorySegment buffer, long offsetBytes) {
    return transfer(PREAD, fd, buffer, offsetBytes);
  }

  /** Writes at an offset: the number of bytes, possibly fewer than asked. */
  public static long pwrite(int fd, MemorySegment buffer, long offsetBytes) {
    return transfer(PWRITE, fd, buffer, offsetBytes);
  }

  private static long transfer(
      MemorySegment function, int fd, MemorySegment buffer, long offsetBytes) {
    long address = NativeCalls.address(buffer);
    try {
      long result;
      do {
        result = NativeCalls.callLong(function, fd, address, buffer.byteSize(), offsetBytes);
      } while (result == EINTR);
      return result;
    } finally {
      Reference.reachabilityFence(buffer);
    }
  }

  /** Reads at an offset into several buffers; only the first {@link Iovecs#MAX_COUNT} take part. */
  public static long preadv(int fd, IoVector vector, long offsetBytes) {
    return transfer(PREADV, fd, vector, offsetBytes);
  }

  /** Writes several buffers at an offset; only the first {@link Iovecs#MAX_COUNT} take part. */
  public static long pwritev(int fd, IoVector vector, long offsetBytes) {
    return transfer(PWRITEV, fd, vector, offsetBytes);
  }

  private static long transfer(MemorySegment function, int fd, IoVector vector, long offsetBytes) {
    int count = Iovecs.count(vector);
    Scratch scratch = Scratch.take();
    try {
      if (Iovecs.bytes(count) <= scratch.struct.byteSize()) {
        return transfer(function, fd, vector, scratch.struct, scratch, offsetBytes);
      }
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment iovecs = arena.allocate(Iovecs.bytes(count), 8);
        return transfer(function, fd, vector, iovecs, scratch, offsetBytes);
      }
    } finally {
      scratch.release();
    }
  }

  private static long transfer(
      MemorySegment function,
      int fd,
      IoVector vector,
      MemorySegment iovecs,
      Scratch scratch,
      long offsetBytes) {
    int count = Iovecs.write(vector, iovecs);
    try {
      long result;
      do {
        result =
            NativeCalls.call(
                function, scratch.capture, fd, iovecs.address(), count, offsetBytes, 0, 0, 0);
      } while (result == EINTR);
      return result;
    } finally {
      Reference.reachabilityFence(vector);
    }
  }

  public static int fsync(int fd) {
    return repeatedInt(FSYNC, fd, 0, 0, 0);
  }

  public static int fdatasync(int fd) {
    return repeatedInt(FDATASYNC, fd, 0, 0, 0);
  }

  /**
   * Changes how a range of a file is allocated.
   *
   * @param mode bits of {@link FallocateMode}
   */
  public static int fallocate(int fd, int mode, long offsetBytes, long lengthBytes) {
    return repeatedInt(FALLOCATE, fd, mode, offsetBytes, lengthBytes);
  }

  /** Sets the length of a file; what it grows by reads as zeroes. */
  public static int ftruncate(int fd, long sizeBytes) {
    return repeatedInt(FTRUNCATE, fd, sizeBytes, 0, 0);
  }

  /** The offset of the next data at or after an offset; {@code -ENXIO} if there is none. */
  public static long seekData(int fd, long offsetBytes) {
    return NativeCalls.callLong(LSEEK, fd, offsetBytes, SEEK_DATA, 0);
  }

  /**
   * The offset of the next hole at or after an offset, the end of the file being one; {@code
   * -ENXIO} at or beyond the end.
   */
  public static long seekHole(int fd, long offsetBytes) {
    return NativeCalls.callLong(LSEEK, fd, offsetBytes, SEEK_HOLE, 0);
  }

  /** Moves the file's own position to an absolute offset. */
  public static long seek(int fd, long offsetBytes) {
    return NativeCalls.callLong(LSEEK, fd, offsetBytes, SEEK_SET, 0);
  }

  /** Moves the file's own position to its end and returns that: also a block device's size. */
  public static long seekEnd(int fd) {
    return NativeCalls.callLong(LSEEK, fd, 0, SEEK_END, 0);
  }

  /**
   * Copies inside the kernel, sharing extents where the file system can.
   *
   * @return the bytes copied, possibly fewer than asked, 0 at the end of the source
   */
  public static long copyFileRange(
      int fromFd, long fromOffsetBytes, int toFd, long toOffsetBytes, long lengthBytes) {
    Scratch scratch = Scratch.take();
    try {
      MemorySegment from = scratch.struct.asSlice(0, 8);
      MemorySegment to = scratch.struct.asSlice(8, 8);
      long result;
      do {
        from.set(ValueLayout.JAVA_LONG, 0, fromOffsetBytes);
        to.set(ValueLayout.JAVA_LONG, 0, toOffsetBytes);
        result =
            NativeCalls.call(
                COPY_FILE_RANGE,
                scratch.capture,
                fromFd,
                from.address(),
                toFd,
                to.address(),
                Math.min(lengthBytes, MAX_TRANSFER_BYTES),
                0,
                0);
      } while (result == EINTR);
      return result;
    } finally {
      scratch.release();
    }
  }

  /** How the page cache is going to be used. */
  public enum Advice {
    NORMAL(0),
    RANDOM(1),
    SEQUENTIAL(2),
    WILL_NEED(3),
    DONT_NEED(4),
    NO_REUSE(5);

    private final int code;

    Advice(int code) {
      this.code = code;
    }
  }

  /** Tells the kernel how a range is going to be used; a length of 0 means to the end. */
  public static int advise(int fd, long offsetBytes, long lengthBytes, Advice advice) {
    // posix_fadvise is the one function here that returns the errno instead of setting it.
    return -NativeCalls.callInt(POSIX_FADVISE, fd, offsetBytes, lengthBytes, advice.code);
  }

  /** Starts writing dirty pages of a range and does not wait; a length of 0 means to the end. */
  public static int startWriteback(int fd, long offsetBytes, long lengthBytes) {
    int write = 2;
    return repeatedInt(SYNC_FILE_RANGE, fd, offsetBytes, lengthBytes, write);
  }

  /** Kind, identity and size of an open file. Allocates the result. */
  public static FileStatus status(int fd) throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      MemorySegment emptyPath = scratch.struct.asSlice(256, 1).fill((byte) 0);
      return status(scratch, fd, emptyPath.address(), AT_EMPTY_PATH);
    } finally {
      scratch.release();
    }
  }

  /** Kind, identity and size of what a name leads to, links followed. Allocates. */
  public static FileStatus status(String path) throws ErrnoException {
    Check.argument(path.indexOf('\0') < 0, "a file name cannot contain a zero byte");
    Scratch scratch = Scratch.take();
    try (Arena arena = Arena.ofConfined()) {
      return status(scratch, AT_FDCWD, arena.allocateFrom(path).address(), 0);
    } finally {
      scratch.release();
    }
  }

  private static FileStatus status(Scratch scratch, int fd, long path, int flags)
      throws ErrnoException {
    MemorySegment status = scratch.struct.asSlice(0, 256).fill((byte) 0);
    int mask = STATX_BASIC_STATS | STATX_DIOALIGN;
    int result =
        NativeCalls.callInt(STATX, scratch.capture, fd, path, flags, mask, status.address());
    NativeCalls.checked(result, "statx");
    return decode(status);
  }

  private static FileStatus decode(MemorySegment status) {
    long major = status.get(ValueLayout.JAVA_INT, 136) & 0xffffffffL;
    long minor = status.get(ValueLayout.JAVA_INT, 140) & 0xffffffffL;
    long device =
        ((major & 0xfffff000L) << 32)
            | ((major & 0xfff) << 8)
            | ((minor & ~0xffL) << 12)
            | (minor & 0xff);
    return new FileStatus(
        FileStatus.Kind.ofMode(Short.toUnsignedInt(status.get(ValueLayout.JAVA_SHORT, 28))),
        device,
        status.get(ValueLayout.JAVA_LONG, 32),
        status.get(ValueLayout.JAVA_LONG, 40),
        status.get(ValueLayout.JAVA_LONG, 48) * 512,
        status.get(ValueLayout.JAVA_INT, 4),
        status.get(ValueLayout.JAVA_INT, 152),
        status.get(ValueLayout.JAVA_INT, 156));
  }

  private static int repeatedInt(MemorySegment function, long a, long b, long c, long d) {
    int result;
    do {
      result = NativeCalls.callInt(function, a, b, c, d);
    } while (result == EINTR);
    return result;
  }
}

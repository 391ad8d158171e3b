package org.tinamou.aio;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/**
 * The host's file calls that have no asynchronous form; real in production, a simulated disk in
 * tests.
 *
 * <p>Every method may block, so coroutines call them through {@link AioContext#callBlocking}. All
 * are safe to call from any thread.
 */
public interface HostFiles {
  /** Kind of a file, as far as a disk image cares. */
  enum Kind {
    REGULAR,
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    OTHER
  }

  /**
   * What fstat(2) tells.
   *
   * @param sizeBytes the length; of a block device its capacity
   * @param allocatedBytes the space really used; -1 where the host does not tell
   * @param preferredBlockBytes the preferred I/O size
   * @param logicalBlockBytes the smallest unit a block device can address; 0 for other files
   */
  record Status(
      Kind kind,
      long device,
      long inode,
      long sizeBytes,
      long allocatedBytes,
      int preferredBlockBytes,
      int logicalBlockBytes) {}

  /** Access mode and creation flags of open(2). */
  enum OpenFlag {
    READ_WRITE,
    CREATE,
    EXCLUSIVE,
    TRUNCATE,
    DIRECT,
    DATA_SYNC
  }

  /** A byte-range lock of the open file description (F_OFD_SETLK). */
  enum LockType {
    SHARED,
    EXCLUSIVE,
    UNLOCK
  }

  /** Opens a file close-on-exec and returns its descriptor. */
  int open(Path path, int permissions, OpenFlag... flags) throws ErrnoException;

  /**
   * Another descriptor of a file that is open already.
   *
   * @throws ErrnoException with EACCES if the file was not opened for just what the flags say,
   *     EOPNOTSUPP where there is no such call
   */
  default int duplicate(int fd, OpenFlag... flags) throws ErrnoException {
    throw new ErrnoException(Errno.EOPNOTSUPP, "dup");
  }

  /**
   * The same of a descriptor that the process was started with.
   *
   * @throws ErrnoException with EBADF if it was not
   */
  default int duplicateInherited(int fd) throws ErrnoException {
    throw new ErrnoException(Errno.EOPNOTSUPP, "dup");
  }

  void close(int fd) throws ErrnoException;

  /**
   * Lets a descriptor denote what another one denotes, and closes the other one. Calls under way
   * keep what they have; there is no moment at which the descriptor denotes nothing.
   */
  void replace(int fd, int byFd) throws ErrnoException;

  Status status(int fd) throws ErrnoException;

  /** What kind of file a name leads to. */
  Kind kind(Path path) throws ErrnoException;

  void truncate(int fd, long sizeBytes) throws ErrnoException;

  /**
   * lseek(SEEK_DATA).
   *
   * @return the offset of the next data at or after {@code offsetBytes}, or -1 if there is none
   */
  long nextData(int fd, long offsetBytes) throws ErrnoException;

  /**
   * lseek(SEEK_HOLE).
   *
   * @return the offset of the next hole at or after {@code offsetBytes} (the end of the file counts
   *     as one), or -1 if the offset is at or beyond the end
   */
  long nextHole(int fd, long offsetBytes) throws ErrnoException;

  /** copy_file_range(2): the bytes really copied, 0 at the end of the source. */
  long copyRange(int fromFd, long fromOffsetBytes, int toFd, long toOffsetBytes, long lengthBytes)
      throws ErrnoException;

  /**
   * The first bytes of a file as memory, until the arena closes; null where that is not possible.
   * Whoever reads what cannot be read, or what is gone because others cut the file short, meets an
   * {@link InternalError}.
   */
  default @Nullable MemorySegment map(int fd, long sizeBytes, Arena arena) {
    return null;
  }

  /**
   * Takes or drops a lock without waiting.
   *
   * @return false if another open file description holds a conflicting lock
   */
  boolean tryLock(int fd, LockType type, long startBytes, long lengthBytes) throws ErrnoException;

  /** Other processes that hold locks on a file, for people; empty if none is to be seen. */
  default List<String> lockHolders(int fd) throws ErrnoException {
    return List.of();
  }

  /** Whether another open file description holds a lock that conflicts with {@code type}. */
  boolean isLockedByOther(int fd, LockType type, long startBytes, long lengthBytes)
      throws ErrnoException;
}

package org.tinamou.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.base.Errno;

/**
 * Byte-range locks that belong to an open file description (F_OFD_SETLK): closing another
 * descriptor of the same file does not drop them, and two descriptions in one process conflict.
 * Never waits; any thread.
 */
public final class FileLocks {
  /** A shared lock needs a descriptor open for reading, an exclusive one for writing. */
  public enum Type {
    SHARED(0),
    EXCLUSIVE(1),
    UNLOCK(2);

    private final int code;

    Type(int code) {
      this.code = code;
    }
  }

  private static final int F_OFD_GETLK = 36;
  private static final int F_OFD_SETLK = 37;

  private static final MemorySegment FCNTL = NativeCalls.function("fcntl");

  private FileLocks() {}

  /**
   * Takes, converts or drops a lock.
   *
   * @param lengthBytes 0 means to the end of the file, wherever that goes
   * @return 0; {@code -EAGAIN} if another description holds a conflicting lock; another negative
   *     errno
   */
  public static int set(int fd, Type type, long startBytes, long lengthBytes) {
    Scratch scratch = Scratch.take();
    try {
      int result = control(scratch, F_OFD_SETLK, fd, type, startBytes, lengthBytes);
      return result == -Errno.EACCES.number() ? -Errno.EAGAIN.number() : result;
    } finally {
      scratch.release();
    }
  }

  /**
   * Asks whether {@link #set} would meet a conflict.
   *
   * @return 1 if another description holds a conflicting lock, 0 if none does, or a negative errno
   */
  public static int test(int fd, Type type, long startBytes, long lengthBytes) {
    Scratch scratch = Scratch.take();
    try {
      int result = control(scratch, F_OFD_GETLK, fd, type, startBytes, lengthBytes);
      if (result < 0) {
        return result;
      }
      return scratch.struct.get(ValueLayout.JAVA_SHORT, 0) == Type.UNLOCK.code ? 0 : 1;
    } finally {
      scratch.release();
    }
  }

  private static int control(
      Scratch scratch, int command, int fd, Type type, long startBytes, long lengthBytes) {
    MemorySegment flock = scratch.struct.asSlice(0, 32).fill((byte) 0);
    flock.set(ValueLayout.JAVA_SHORT, 0, (short) type.code);
    flock.set(ValueLayout.JAVA_LONG, 8, startBytes);
    flock.set(ValueLayout.JAVA_LONG, 16, lengthBytes);
    return NativeCalls.callInt(FCNTL, scratch, fd, command, flock.address(), 0);
  }
}

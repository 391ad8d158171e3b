package org.tinamou.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.base.ErrnoException;

/**
 * A counter in the kernel that other threads add to and a poller waits on. Every method may be
 * called from any thread; nobody may call one once {@link #close} has begun.
 */
public final class EventFd implements AutoCloseable {
  private static final MemorySegment EVENTFD = NativeCalls.function("eventfd");
  private static final MemorySegment ONE = one();

  private final int fd;

  private EventFd(int fd) {
    this.fd = fd;
  }

  /**
   * A counter of 0.
   *
   * @param nonBlocking whether {@link #drain} of a counter of 0 fails instead of waiting
   */
  public static EventFd open(boolean nonBlocking) throws ErrnoException {
    int flags = OpenFlags.CLOSE_ON_EXEC | (nonBlocking ? OpenFlags.NON_BLOCKING : 0);
    return new EventFd(
        NativeCalls.checked(NativeCalls.callInt(EVENTFD, 0, flags, 0, 0), "eventfd"));
  }

  public int fd() {
    return fd;
  }

  /** Adds one to the counter and so makes the descriptor readable. */
  public void signal() {
    long result = LinuxFiles.write(fd, ONE);
    if (result != Long.BYTES) {
      throw new IllegalStateException("write to eventfd returned " + result);
    }
  }

  /**
   * Takes the whole counter.
   *
   * @return the counter; {@code -EAGAIN} if it is 0 and the descriptor does not block
   */
  public long drain() {
    Scratch scratch = Scratch.take();
    try {
      MemorySegment counter = scratch.struct.asSlice(0, Long.BYTES);
      long result = LinuxFiles.read(fd, counter);
      return result < 0 ? result : counter.get(ValueLayout.JAVA_LONG, 0);
    } finally {
      scratch.release();
    }
  }

  @Override
  public void close() {
    LinuxFiles.close(fd);
  }

  private static MemorySegment one() {
    MemorySegment one = Arena.global().allocate(ValueLayout.JAVA_LONG);
    one.set(ValueLayout.JAVA_LONG, 0, 1);
    return one;
  }
}

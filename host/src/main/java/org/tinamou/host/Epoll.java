package org.tinamou.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/**
 * An epoll instance with room for a batch of events. {@link #add}, {@link #modify} and {@link
 * #remove} may be called from any thread, the rest by one thread at a time. Calls allocate nothing.
 */
public final class Epoll implements AutoCloseable {
  public static final int IN = 0x1;
  public static final int OUT = 0x4;
  public static final int ERROR = 0x8;
  public static final int HANG_UP = 0x10;
  public static final int PEER_HANG_UP = 0x2000;

  /** Reports each change once instead of a lasting state. */
  public static final int EDGE_TRIGGERED = 1 << 31;

  /** Waits without a limit when passed to {@link #await}. */
  public static final long FOREVER = Long.MAX_VALUE;

  private static final int CTL_ADD = 1;
  private static final int CTL_DEL = 2;
  private static final int CTL_MOD = 3;
  private static final int SYS_EPOLL_PWAIT2 = 441;

  /** The kernel packs the structure on x86-64 only. */
  private static final boolean PACKED = System.getProperty("os.arch").equals("amd64");

  private static final long EVENT_BYTES = PACKED ? 12 : 16;
  private static final long DATA_OFFSET = PACKED ? 4 : 8;

  private static final MemorySegment EPOLL_CREATE1 = NativeCalls.function("epoll_create1");
  private static final MemorySegment EPOLL_CTL = NativeCalls.function("epoll_ctl");
  private static final MemorySegment EPOLL_WAIT = NativeCalls.function("epoll_wait");
  private static final MemorySegment SYSCALL = NativeCalls.function("syscall");

  private final int fd;
  private final int maxEvents;
  private final MemorySegment events;
  private final MemorySegment timespec;
  private final MemorySegment capture;
  private boolean hasNanoseconds = true;

  private Epoll(int fd, int maxEvents) {
    this.fd = fd;
    this.maxEvents = maxEvents;
    Arena arena = Arena.ofAuto();
    this.events = arena.allocate(EVENT_BYTES * maxEvents, 64);
    this.timespec = arena.allocate(16, 8);
    this.capture = arena.allocate(NativeCalls.CAPTURE_BYTES, 8);
  }

  /**
   * An instance that watches nothing yet.
   *
   * @param maxEvents how many events one {@link #await} reports at most
   */
  public static Epoll open(int maxEvents) throws ErrnoException {
    int result = NativeCalls.callInt(EPOLL_CREATE1, OpenFlags.CLOSE_ON_EXEC, 0, 0, 0);
    return new Epoll(NativeCalls.checked(result, "epoll_create1"), maxEvents);
  }

  /**
   * Starts watching a descriptor.
   *
   * @param data comes back with each of its events
   * @return 0 or a negative errno: {@code -EPERM} for a file that is always ready, {@code -EEXIST}
   *     if it is watched already
   */
  public int add(int watchedFd, int eventBits, long data) {
    return control(CTL_ADD, watchedFd, eventBits, data);
  }

  /** Watches for other events from now on. */
  public int modify(int watchedFd, int eventBits, long data) {
    return control(CTL_MOD, watchedFd, eventBits, data);
  }

  public int remove(int watchedFd) {
    return control(CTL_DEL, watchedFd, 0, 0);
  }

  /**
   * Waits for events; a signal or a spurious wake-up may end it early.
   *
   * @param timeoutNanos 0 does not wait, {@link #FOREVER} has no limit; rounded up to milliseconds
   *     on kernels before 5.11
   * @return the number of events to be read with {@link #events} and {@link #data}
   */
  public int await(long timeoutNanos) {
    long result = hasNanoseconds ? awaitNanoseconds(timeoutNanos) : awaitMilliseconds(timeoutNanos);
    if (result == -Errno.ENOSYS.number() && hasNanoseconds) {
      hasNanoseconds = false;
      result = awaitMilliseconds(timeoutNanos);
    }
    if (result == -Errno.EINTR.number()) {
      return 0;
    }
    if (result < 0) {
      throw new IllegalStateException("epoll_wait: " + Errno.ofResult(result).message());
    }
    return (int) result;
  }

  /** The event bits of the index-th event of the last {@link #await}. */
  public int events(int index) {
    return events.get(ValueLayout.JAVA_INT_UNALIGNED, index * EVENT_BYTES);
  }

  /** What was given when the descriptor of the index-th event was added. */
  public long data(int index) {
    return events.get(ValueLayout.JAVA_LONG_UNALIGNED, index * EVENT_BYTES + DATA_OFFSET);
  }

  @Override
  public void close() {
    LinuxFiles.close(fd);
  }

  private long awaitNanoseconds(long timeoutNanos) {
    long timeout = 0;
    if (timeoutNanos != FOREVER) {
      timespec.set(ValueLayout.JAVA_LONG, 0, timeoutNanos / 1_000_000_000);
      timespec.set(ValueLayout.JAVA_LONG, 8, timeoutNanos % 1_000_000_000);
      timeout = timespec.address();
    }
    return NativeCalls.call(
        SYSCALL, capture, SYS_EPOLL_PWAIT2, fd, events.address(), maxEvents, timeout, 0, 0);
  }

  private long awaitMilliseconds(long timeoutNanos) {
    long millis = timeoutNanos == FOREVER ? -1 : Math.ceilDiv(timeoutNanos, 1_000_000);
    long timeout = Math.min(millis, Integer.MAX_VALUE);
    return NativeCalls.callInt(EPOLL_WAIT, capture, fd, events.address(), maxEvents, timeout, 0);
  }

  private int control(int operation, int watchedFd, int eventBits, long data) {
    Scratch scratch = Scratch.take();
    try {
      MemorySegment event = scratch.struct;
      event.set(ValueLayout.JAVA_INT_UNALIGNED, 0, eventBits);
      event.set(ValueLayout.JAVA_LONG_UNALIGNED, DATA_OFFSET, data);
      return NativeCalls.callInt(EPOLL_CTL, scratch, fd, operation, watchedFd, event.address());
    } finally {
      scratch.release();
    }
  }
}

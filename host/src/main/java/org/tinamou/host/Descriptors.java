package org.tinamou.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.base.ErrnoException;

/** Pipes, socket pairs and copies, always close-on-exec. Any thread. */
public final class Descriptors {
  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM = 1;

  private static final int F_GETFD = 1;
  private static final int F_GETFL = 3;
  private static final int F_SETFL = 4;
  private static final int F_DUPFD_CLOEXEC = 1030;
  private static final int FD_CLOEXEC = 1;

  private static final MemorySegment FCNTL = NativeCalls.function("fcntl");
  private static final MemorySegment PIPE2 = NativeCalls.function("pipe2");
  private static final MemorySegment SOCKETPAIR = NativeCalls.function("socketpair");

  /** Two connected descriptors; of a pipe the first is the reading end. */
  public record Pair(int first, int second) {}

  private Descriptors() {}

  /**
   * A pipe: bytes written to the second descriptor are read from the first.
   *
   * @param flags {@link OpenFlags#NON_BLOCKING} or 0
   */
  public static Pair pipe(int flags) throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      long fds = scratch.struct.address();
      int all = flags | OpenFlags.CLOSE_ON_EXEC;
      NativeCalls.checked(NativeCalls.callInt(PIPE2, scratch, fds, all, 0, 0), "pipe2");
      return pair(scratch);
    } finally {
      scratch.release();
    }
  }

  /**
   * A connected pair of Unix stream sockets.
   *
   * @param flags {@link OpenFlags#NON_BLOCKING} or 0
   */
  public static Pair socketPair(int flags) throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      long fds = scratch.struct.address();
      int type = SOCK_STREAM | flags | OpenFlags.CLOSE_ON_EXEC;
      NativeCalls.checked(
          NativeCalls.callInt(SOCKETPAIR, scratch, AF_UNIX, type, 0, fds), "socketpair");
      return pair(scratch);
    } finally {
      scratch.release();
    }
  }

  /** Another descriptor of the same open file. */
  public static int duplicate(int fd) throws ErrnoException {
    return control(fd, F_DUPFD_CLOEXEC, 0);
  }

  /** Whether it would go on to another program: then it came from one. */
  public static boolean isInherited(int fd) throws ErrnoException {
    return (control(fd, F_GETFD, 0) & FD_CLOEXEC) == 0;
  }

  /** How the file was opened: bits of {@link OpenFlags}. */
  public static int openFlags(int fd) throws ErrnoException {
    return control(fd, F_GETFL, 0);
  }

  /** Changes what can be changed of how a file was opened, for all descriptors of it. */
  public static void setOpenFlags(int fd, int flags) throws ErrnoException {
    control(fd, F_SETFL, flags);
  }

  private static int control(int fd, int command, long argument) throws ErrnoException {
    return NativeCalls.checked(NativeCalls.callInt(FCNTL, fd, command, argument, 0), "fcntl");
  }

  private static Pair pair(Scratch scratch) {
    return new Pair(
        scratch.struct.get(ValueLayout.JAVA_INT, 0), scratch.struct.get(ValueLayout.JAVA_INT, 4));
  }
}

package org.tinamou.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.base.ErrnoException;

/** Pipes and socket pairs, always close-on-exec. Any thread. */
public final class Descriptors {
  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM = 1;

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

  private static Pair pair(Scratch scratch) {
    return new Pair(
        scratch.struct.get(ValueLayout.JAVA_INT, 0), scratch.struct.get(ValueLayout.JAVA_INT, 4));
  }
}

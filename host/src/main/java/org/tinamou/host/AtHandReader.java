package org.tinamou.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/**
 * Reads what the kernel has in its cache, and never waits for a device: a call so short that it is
 * made without telling the JVM, which would wait for its end before it collects garbage. One thread
 * at a time.
 */
public final class AtHandReader {
  private static final int RWF_NOWAIT = 8;
  private static final long SYS_PREADV2 =
      "aarch64".equals(System.getProperty("os.arch")) ? 286 : 327;

  private final MemorySegment iovec = Arena.ofAuto().allocate(16, 64);

  /**
   * Reads at an offset. The buffer should be small: its size is what garbage collection may have to
   * wait for.
   *
   * @return how many bytes, 0 at the end of the file, or -1: a request that may wait tells why
   */
  public long read(int fd, MemorySegment buffer, long offsetBytes) {
    iovec.set(ValueLayout.JAVA_LONG, 0, NativeCalls.address(buffer));
    iovec.set(ValueLayout.JAVA_LONG, 8, buffer.byteSize());
    try {
      return NativeCalls.callShort(
          IoUring.SYSCALL, SYS_PREADV2, fd, iovec.address(), 1, offsetBytes, 0, RWF_NOWAIT);
    } finally {
      Reference.reachabilityFence(buffer);
    }
  }
}

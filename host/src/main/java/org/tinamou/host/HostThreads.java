package org.tinamou.host;

import java.lang.foreign.MemorySegment;

/** The kernel's view of threads. Any thread. */
public final class HostThreads {
  private static final MemorySegment GETTID = NativeCalls.function("gettid");

  private HostThreads() {}

  /** The number by which the kernel and its tools know the calling thread. */
  public static int currentId() {
    return NativeCalls.callInt(GETTID, 0, 0, 0, 0);
  }
}

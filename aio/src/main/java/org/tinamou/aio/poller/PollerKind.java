package org.tinamou.aio.poller;

/** How a loop reaches the kernel. */
public enum PollerKind {
  /**
   * io_uring where the kernel lets us, else {@link #EPOLL}, and where there is neither {@link
   * #NIO}; the switch overrides it.
   */
  AUTO,
  /** One io_uring for everything. */
  IO_URING,
  /** epoll for descriptors, worker threads for files. */
  EPOLL,
  /** The JDK's own channels and no native call: no locks on files, no holes, no direct I/O. */
  NIO
}

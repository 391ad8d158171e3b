package org.tinamou.aio;

/** Where a stream socket listens or connects to. */
public sealed interface SocketAddress {
  /** A socket in the file system. */
  record Unix(String path) implements SocketAddress {
    /** Whether it is in the kernel's own name space rather than in the file system. */
    public boolean isAbstract() {
      return path.startsWith("\0");
    }

    @Override
    public String toString() {
      return isAbstract() ? path.substring(1) : path;
    }
  }

  /**
   * TCP. All addresses that a name has are tried, or listened on.
   *
   * @param host a name or address; empty stands for every address of this host
   * @param port 0 to 65535; 0 listens on a port the kernel chooses
   * @param inet4 whether IPv4 addresses may be used
   * @param inet6 whether IPv6 addresses may be used
   */
  record Inet(String host, int port, boolean inet4, boolean inet6) implements SocketAddress {
    public Inet(String host, int port) {
      this(host, port, true, true);
    }

    @Override
    public String toString() {
      return host + ":" + port;
    }
  }

  /** Between a virtual machine and its host. */
  record Vsock(int cid, int port) implements SocketAddress {
    @Override
    public String toString() {
      return Integer.toUnsignedString(cid) + ":" + Integer.toUnsignedString(port);
    }
  }

  /** A descriptor that was handed over, already connected or listening. */
  record Descriptor(int fd) implements SocketAddress {
    @Override
    public String toString() {
      return "fd:" + fd;
    }
  }
}

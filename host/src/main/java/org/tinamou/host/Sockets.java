package org.tinamou.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.util.function.IntConsumer;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;

/**
 * Stream sockets, always close-on-exec. Transfers never block. Any thread. Writing to a peer that
 * has gone fails with EPIPE and raises no signal.
 */
public final class Sockets {
  public static final int AF_UNIX = 1;
  public static final int AF_INET = 2;
  public static final int AF_INET6 = 10;
  public static final int AF_VSOCK = 40;

  /** The longest name of a Unix socket, in bytes. */
  public static final int MAX_UNIX_PATH_BYTES = 107;

  private static final int SOCK_STREAM = 1;
  private static final int SOL_SOCKET = 1;
  private static final int SO_REUSEADDR = 2;
  private static final int SO_ERROR = 4;
  private static final int SO_KEEPALIVE = 9;
  private static final int SO_RCVTIMEO = 20;
  private static final int IPPROTO_TCP = 6;
  private static final int TCP_NODELAY = 1;
  private static final int TCP_RTO_MAX_MS = 44;
  private static final int IPPROTO_IPV6 = 41;
  private static final int IPV6_V6ONLY = 26;
  private static final int SHUT_BOTH = 2;
  static final int MSG_WAITALL = 0x100;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;
  private static final int SCM_RIGHTS = 1;
  private static final long HEADER_BYTES = 56;

  /** How many descriptors one message may pass; the kernel closes those beyond. */
  private static final int MAX_PASSED_DESCRIPTORS = 16;

  private static final int EINTR = -Errno.EINTR.number();

  private static final MemorySegment SOCKET = NativeCalls.function("socket");
  private static final MemorySegment BIND = NativeCalls.function("bind");
  private static final MemorySegment LISTEN = NativeCalls.function("listen");
  private static final MemorySegment ACCEPT4 = NativeCalls.function("accept4");
  private static final MemorySegment CONNECT = NativeCalls.function("connect");
  private static final MemorySegment SHUTDOWN = NativeCalls.function("shutdown");
  private static final MemorySegment SETSOCKOPT = NativeCalls.function("setsockopt");
  private static final MemorySegment GETSOCKOPT = NativeCalls.function("getsockopt");
  private static final MemorySegment GETSOCKNAME = NativeCalls.function("getsockname");
  private static final MemorySegment RECV = NativeCalls.function("recv");
  private static final MemorySegment SEND = NativeCalls.function("send");
  private static final MemorySegment RECVMSG = NativeCalls.function("recvmsg");
  private static final MemorySegment SENDMSG = NativeCalls.function("sendmsg");
  private static final MemorySegment FCNTL = NativeCalls.function("fcntl");

  /**
   * An address in the kernel's form.
   *
   * @param family one of the AF constants
   * @param bytes the {@code struct sockaddr} of that family
   */
  public record RawAddress(int family, byte[] bytes) {}

  private Sockets() {}

  /**
   * The address of a Unix socket.
   *
   * @param path at most {@link #MAX_UNIX_PATH_BYTES} in UTF-8
   * @param abstractName in the kernel's own name space rather than in the file system
   */
  public static RawAddress unix(String path, boolean abstractName) {
    byte[] name = path.getBytes(StandardCharsets.UTF_8);
    Check.argument(name.length <= MAX_UNIX_PATH_BYTES, "the name %s is too long", path);
    byte[] bytes = new byte[2 + (abstractName ? 1 : 0) + name.length + (abstractName ? 0 : 1)];
    bytes[0] = AF_UNIX;
    System.arraycopy(name, 0, bytes, abstractName ? 3 : 2, name.length);
    return new RawAddress(AF_UNIX, bytes);
  }

  /**
   * An IP address.
   *
   * @param address 4 or 16 bytes, most significant first
   * @param port 0 to 65535
   * @param scope the interface of a link-local address, or 0
   */
  public static RawAddress inet(byte[] address, int port, int scope) {
    boolean four = address.length == 4;
    byte[] bytes = new byte[four ? 16 : 28];
    bytes[0] = (byte) (four ? AF_INET : AF_INET6);
    bytes[2] = (byte) (port >> 8);
    bytes[3] = (byte) port;
    System.arraycopy(address, 0, bytes, four ? 4 : 8, address.length);
    if (!four) {
      putLittleEndian(bytes, 24, scope);
    }
    return new RawAddress(four ? AF_INET : AF_INET6, bytes);
  }

  /** The address of a virtual machine's or host's port. */
  public static RawAddress vsock(int cid, int port) {
    byte[] bytes = new byte[16];
    bytes[0] = AF_VSOCK;
    putLittleEndian(bytes, 4, port);
    putLittleEndian(bytes, 8, cid);
    return new RawAddress(AF_VSOCK, bytes);
  }

  private static void putLittleEndian(byte[] bytes, int at, int value) {
    for (int i = 0; i < 4; i++) {
      bytes[at + i] = (byte) (value >> (8 * i));
    }
  }

  /** A socket of a family: the descriptor or a negative errno. */
  public static int open(int family) {
    int type = SOCK_STREAM | OpenFlags.NON_BLOCKING | OpenFlags.CLOSE_ON_EXEC;
    return NativeCalls.callInt(SOCKET, family, type, 0, 0);
  }

  /** Gives the socket an address: 0 or a negative errno. */
  public static int bind(int fd, RawAddress address) {
    return withAddress(BIND, fd, address);
  }

  /** Starts to connect: 0, {@code -EINPROGRESS}, or another negative errno. */
  public static int connect(int fd, RawAddress address) {
    return withAddress(CONNECT, fd, address);
  }

  private static int withAddress(MemorySegment function, int fd, RawAddress address) {
    Scratch scratch = Scratch.take();
    try {
      byte[] bytes = address.bytes();
      MemorySegment.copy(bytes, 0, scratch.struct, ValueLayout.JAVA_BYTE, 0, bytes.length);
      return NativeCalls.callInt(function, scratch, fd, scratch.struct.address(), bytes.length, 0);
    } finally {
      scratch.release();
    }
  }

  /** Waits for connections from now on: 0 or a negative errno. */
  public static int listen(int fd, int backlog) {
    return NativeCalls.callInt(LISTEN, fd, backlog, 0, 0);
  }

  /** Takes a connection: its descriptor, {@code -EAGAIN} if there is none, or another errno. */
  public static int accept(int fd) {
    int flags = OpenFlags.CLOSE_ON_EXEC;
    int result;
    do {
      result = NativeCalls.callInt(ACCEPT4, fd, 0, 0, flags);
    } while (result == EINTR);
    return result;
  }

  /** Ends both directions; whoever waits for either goes on. 0 or a negative errno. */
  public static int shutdown(int fd) {
    return NativeCalls.callInt(SHUTDOWN, fd, SHUT_BOTH, 0, 0);
  }

  /** Reads what has come: bytes, 0 at the end, {@code -EAGAIN} if nothing has come. */
  public static long receive(int fd, MemorySegment buffer) {
    return transfer(RECV, fd, buffer, MSG_DONTWAIT);
  }

  /**
   * Waits until something has come, of a descriptor that blocks: bytes, 0 at the end.
   *
   * @param all whether to wait until the buffer is full
   */
  public static long awaitReceived(int fd, MemorySegment buffer, boolean all) {
    return transfer(RECV, fd, buffer, all ? MSG_WAITALL : 0);
  }

  /**
   * As {@link #receive(int, MemorySegment)}, of a Unix socket whose peer may pass descriptors.
   *
   * @param passed gets each descriptor that came along, close-on-exec and its own
   */
  public static long receive(int fd, MemorySegment buffer, IntConsumer passed) {
    Scratch scratch = Scratch.take();
    try {
      MemorySegment header = scratch.struct.asSlice(0, HEADER_BYTES);
      MemorySegment vector = scratch.struct.asSlice(64, 16);
      MemorySegment control =
          scratch.struct.asSlice(128, 16 + MAX_PASSED_DESCRIPTORS * Integer.BYTES);
      vector.set(ValueLayout.JAVA_LONG, 0, NativeCalls.address(buffer));
      vector.set(ValueLayout.JAVA_LONG, 8, buffer.byteSize());
      long result;
      do {
        header.fill((byte) 0);
        header.set(ValueLayout.JAVA_LONG, 16, vector.address());
        header.set(ValueLayout.JAVA_LONG, 24, 1);
        header.set(ValueLayout.JAVA_LONG, 32, control.address());
        header.set(ValueLayout.JAVA_LONG, 40, control.byteSize());
        int flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
        result = NativeCalls.callLong(RECVMSG, fd, header.address(), flags, 0);
      } while (result == EINTR);
      if (result >= 0 && header.get(ValueLayout.JAVA_LONG, 40) > 16) {
        takeDescriptors(control, passed);
      }
      return result;
    } finally {
      Reference.reachabilityFence(buffer);
      scratch.release();
    }
  }

  private static void takeDescriptors(MemorySegment control, IntConsumer passed) {
    long bytes = control.get(ValueLayout.JAVA_LONG, 0);
    if (control.get(ValueLayout.JAVA_INT, 8) == SOL_SOCKET
        && control.get(ValueLayout.JAVA_INT, 12) == SCM_RIGHTS) {
      for (long at = 16; at + Integer.BYTES <= bytes; at += Integer.BYTES) {
        passed.accept(control.get(ValueLayout.JAVA_INT, at));
      }
    }
  }

  /** Writes what there is room for: bytes, or {@code -EAGAIN} if there is none. */
  public static long send(int fd, MemorySegment buffer) {
    return transfer(SEND, fd, buffer, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  private static long transfer(MemorySegment function, int fd, MemorySegment buffer, int flags) {
    long address = NativeCalls.address(buffer);
    try {
      long result;
      do {
        result = NativeCalls.callLong(function, fd, address, buffer.byteSize(), flags);
      } while (result == EINTR);
      return result;
    } finally {
      Reference.reachabilityFence(buffer);
    }
  }

  /**
   * Writes several buffers, of which the first {@link Iovecs#MAX_COUNT} take part.
   *
   * @param memory at least {@link #vectorBytes} of them, 8-byte aligned; nobody else's meanwhile
   */
  public static long send(int fd, IoVector buffers, MemorySegment memory) {
    MemorySegment header = memory.asSlice(0, HEADER_BYTES);
    MemorySegment list = memory.asSlice(HEADER_BYTES);
    header.fill((byte) 0);
    header.set(ValueLayout.JAVA_LONG, 16, list.address());
    header.set(ValueLayout.JAVA_LONG, 24, Iovecs.write(buffers, list));
    try {
      long result;
      do {
        result =
            NativeCalls.callLong(SENDMSG, fd, header.address(), MSG_DONTWAIT | MSG_NOSIGNAL, 0);
      } while (result == EINTR);
      return result;
    } finally {
      Reference.reachabilityFence(buffers);
      Reference.reachabilityFence(memory);
    }
  }

  /** The memory that {@link #send(int, IoVector, MemorySegment)} needs. */
  public static long vectorBytes(IoVector buffers) {
    return HEADER_BYTES + Iovecs.bytes(Iovecs.count(buffers));
  }

  /** How an attempt to connect has ended: 0 or a negative errno. */
  public static int connectResult(int fd) {
    Scratch scratch = Scratch.take();
    try {
      MemorySegment struct = scratch.struct;
      struct.set(ValueLayout.JAVA_INT, 0, 0);
      struct.set(ValueLayout.JAVA_INT, 8, Integer.BYTES);
      long value = struct.address();
      int result =
          NativeCalls.callInt(
              GETSOCKOPT, scratch.capture, fd, SOL_SOCKET, SO_ERROR, value, value + 8);
      return result < 0 ? result : -struct.get(ValueLayout.JAVA_INT, 0);
    } finally {
      scratch.release();
    }
  }

  /** Another server that has just ended may have used the address. */
  public static int reuseAddress(int fd) {
    return setOption(fd, SOL_SOCKET, SO_REUSEADDR);
  }

  /** Leaves IPv4 to other sockets. */
  public static int onlyInet6(int fd) {
    return setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  }

  /** Sends small pieces at once, and finds out when the peer is gone. Only for TCP. */
  public static void tuneTcp(int fd) {
    setOption(fd, IPPROTO_TCP, TCP_NODELAY);
    setOption(fd, SOL_SOCKET, SO_KEEPALIVE);
    // Idle seconds before the first probe, between two, and how many may be lost.
    setOption(fd, IPPROTO_TCP, 4, 50);
    setOption(fd, IPPROTO_TCP, 5, 15);
    setOption(fd, IPPROTO_TCP, 6, 4);
    // While something is unacknowledged there are no such probes. Since Linux 6.15 the pauses
    // between repetitions can be bounded: 15 of them take a minute then, else a quarter of an hour.
    setOption(fd, IPPROTO_TCP, TCP_RTO_MAX_MS, 6_000);
  }

  /** Bounds how long {@link #awaitReceived} waits in vain: -EAGAIN then, or less than all. */
  public static void limitWait(int fd, int milliseconds) {
    Scratch scratch = Scratch.take();
    try {
      scratch.struct.set(ValueLayout.JAVA_LONG, 0, milliseconds / 1000);
      scratch.struct.set(ValueLayout.JAVA_LONG, 8, milliseconds % 1000 * 1000L);
      NativeCalls.callInt(
          SETSOCKOPT, scratch.capture, fd, SOL_SOCKET, SO_RCVTIMEO, scratch.struct.address(), 16);
    } finally {
      scratch.release();
    }
  }

  private static int setOption(int fd, int level, int option) {
    return setOption(fd, level, option, 1);
  }

  private static int setOption(int fd, int level, int option, int value) {
    Scratch scratch = Scratch.take();
    try {
      scratch.struct.set(ValueLayout.JAVA_INT, 0, value);
      return NativeCalls.callInt(
          SETSOCKOPT, scratch.capture, fd, level, option, scratch.struct.address(), Integer.BYTES);
    } finally {
      scratch.release();
    }
  }

  /**
   * Says whether operations that are given no other wish wait: those of a ring have to, as it takes
   * the waiting over. The descriptor is not passed on to other programs.
   */
  public static void setBlocking(int fd, boolean blocking) throws ErrnoException {
    int flags = NativeCalls.checked(NativeCalls.callInt(FCNTL, fd, 3, 0, 0), "fcntl");
    int changed = blocking ? flags & ~OpenFlags.NON_BLOCKING : flags | OpenFlags.NON_BLOCKING;
    NativeCalls.checked(NativeCalls.callInt(FCNTL, fd, 4, changed, 0), "fcntl");
    NativeCalls.checked(NativeCalls.callInt(FCNTL, fd, 2, 1, 0), "fcntl");
  }

  /** The port a bound IP socket has, or -1 if it is none. */
  public static int localPort(int fd) throws ErrnoException {
    Scratch scratch = Scratch.take();
    try {
      MemorySegment struct = scratch.struct;
      struct.set(ValueLayout.JAVA_INT, 256, 256);
      long address = struct.address();
      NativeCalls.checked(
          NativeCalls.callInt(GETSOCKNAME, scratch, fd, address, address + 256, 0), "getsockname");
      int family = struct.get(ValueLayout.JAVA_SHORT, 0);
      if (family != AF_INET && family != AF_INET6) {
        return -1;
      }
      return (struct.get(ValueLayout.JAVA_BYTE, 2) & 0xff) << 8
          | (struct.get(ValueLayout.JAVA_BYTE, 3) & 0xff);
    } finally {
      scratch.release();
    }
  }
}

package org.tinamou.aio.poller;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.CharacterHost;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.SocketAddress;
import org.tinamou.aio.SocketHost;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.Sockets;

/** The host's sockets. They never block; waiting is the loop's. */
final class LinuxSocketHost implements SocketHost {
  /** For loops that tell when a socket is ready. */
  static final LinuxSocketHost READINESS = new LinuxSocketHost(false, 0);

  /** For loops on an io_uring, which reads by itself. */
  static final LinuxSocketHost RING = new LinuxSocketHost(true, 0);

  /** For loops that read by calls that wait: not for long, for a request may be cancelled. */
  static final LinuxSocketHost CALLS = new LinuxSocketHost(true, 100);

  private static final int EAGAIN = -Errno.EAGAIN.number();
  private static final int EALREADY = -Errno.EALREADY.number();
  private static final int EISCONN = -Errno.EISCONN.number();
  private static final int EINPROGRESS = -Errno.EINPROGRESS.number();
  private static final long FULL_BACKLOG_NANOS = 5_000_000;

  private final boolean ring;
  private final int longestWaitMilliseconds;

  private LinuxSocketHost(boolean ring, int longestWaitMilliseconds) {
    this.ring = ring;
    this.longestWaitMilliseconds = longestWaitMilliseconds;
  }

  @Override
  public StreamSocket connect(SocketAddress address) throws IOException {
    return switch (address) {
      case SocketAddress.Unix unix ->
          connect(rawUnix(unix, "Failed to connect to '" + unix + "'"), unix);
      case SocketAddress.Vsock vsock -> connect(Sockets.vsock(vsock.cid(), vsock.port()), vsock);
      case SocketAddress.Descriptor(int fd) -> stream(fd);
      case SocketAddress.Inet inet -> connectAny(inet);
    };
  }

  @Override
  public CharacterHost characters() {
    return LinuxCharacterHost.INSTANCE;
  }

  private StreamSocket connectAny(SocketAddress.Inet inet) throws IOException {
    ErrnoException last = null;
    for (InetAddress each : resolve(inet, false)) {
      try {
        return connect(raw(each, inet.port()), inet);
      } catch (ErrnoException e) {
        if (e.errno() == Errno.ECANCELED) {
          throw e;
        }
        last = e;
      }
    }
    throw last == null ? unresolved(inet) : last;
  }

  private StreamSocket connect(Sockets.RawAddress raw, SocketAddress address)
      throws ErrnoException {
    int fd = Sockets.open(raw.family());
    if (fd < 0) {
      throw new ErrnoException(Errno.ofResult(fd), "Failed to create socket");
    }
    int result = awaitConnected(fd, raw);
    if (result < 0) {
      LinuxFiles.close(fd);
      throw new ErrnoException(Errno.ofResult(result), "Failed to connect to '" + address + "'");
    }
    if (raw.family() == Sockets.AF_INET || raw.family() == Sockets.AF_INET6) {
      Sockets.tuneTcp(fd);
    }
    return stream(fd);
  }

  private LinuxStream stream(int fd) throws ErrnoException {
    Sockets.setBlocking(fd, ring);
    if (longestWaitMilliseconds > 0) {
      Sockets.limitWait(fd, longestWaitMilliseconds);
    }
    return new LinuxStream(fd, ring);
  }

  private static int awaitConnected(int fd, Sockets.RawAddress raw) {
    // A socket to a virtual machine may count as writable before it is connected.
    boolean sure = raw.family() != Sockets.AF_VSOCK;
    while (true) {
      int result = Sockets.connect(fd, raw);
      if (result == EISCONN) {
        return 0;
      }
      if (result == EINPROGRESS) {
        if (!SocketWait.await(fd, FdWatch.WRITABLE)) {
          return -Errno.ECANCELED.number();
        }
        int outcome = Sockets.connectResult(fd);
        if (outcome != 0 || sure) {
          return outcome;
        }
        sure = true;
        continue;
      }
      if (result != EAGAIN && result != EALREADY) {
        return result;
      }
      // A Unix socket whose queue is full tells nobody when it has room again.
      Coroutine self = Coroutine.current();
      if (self.isCancelRequested()) {
        return -Errno.ECANCELED.number();
      }
      self.context().sleep(ClockType.REALTIME, FULL_BACKLOG_NANOS);
    }
  }

  @Override
  public ListenSocket listen(SocketAddress address, int backlog) throws IOException {
    return switch (address) {
      case SocketAddress.Unix unix -> {
        String failure = "Failed to bind socket to " + unix;
        Sockets.RawAddress raw = rawUnix(unix, failure);
        if (!unix.isAbstract()) {
          removeStale(unix.path());
        }
        yield listen(raw, backlog, failure);
      }
      case SocketAddress.Vsock vsock ->
          listen(Sockets.vsock(vsock.cid(), vsock.port()), backlog, "Failed to bind socket");
      case SocketAddress.Descriptor(int fd) -> {
        int port = Sockets.localPort(fd);
        Sockets.setBlocking(fd, false);
        yield new LinuxListener(fd, port, ring);
      }
      case SocketAddress.Inet inet -> listenAny(inet, backlog);
    };
  }

  /** What an ended server has left behind would be in the way. */
  private static void removeStale(String path) throws ErrnoException {
    try {
      Coroutine.current().context().callBlocking(() -> Files.deleteIfExists(Path.of(path)));
    } catch (IOException e) {
      throw new ErrnoException(Errno.EACCES, "Failed to unlink socket " + path, e);
    }
  }

  private ListenSocket listenAny(SocketAddress.Inet inet, int backlog) throws IOException {
    ErrnoException last = null;
    for (InetAddress each : resolve(inet, true)) {
      try {
        return listen(raw(each, inet.port()), backlog, "Failed to bind socket");
      } catch (ErrnoException e) {
        last = e;
      }
    }
    throw last == null ? unresolved(inet) : last;
  }

  private ListenSocket listen(Sockets.RawAddress raw, int backlog, String failure)
      throws ErrnoException {
    int fd = Sockets.open(raw.family());
    if (fd < 0) {
      throw new ErrnoException(Errno.ofResult(fd), "Failed to create socket");
    }
    boolean inet = raw.family() == Sockets.AF_INET || raw.family() == Sockets.AF_INET6;
    if (inet) {
      Sockets.reuseAddress(fd);
    }
    int result = Sockets.bind(fd, raw);
    if (result == 0) {
      result = Sockets.listen(fd, backlog);
    }
    if (result < 0) {
      LinuxFiles.close(fd);
      Errno errno = Errno.ofResult(result);
      boolean taken = inet && errno == Errno.EADDRINUSE;
      throw new ErrnoException(errno, taken ? "Failed to find an available port" : failure);
    }
    return new LinuxListener(fd, Sockets.localPort(fd), ring);
  }

  private static Sockets.RawAddress rawUnix(SocketAddress.Unix unix, String doing)
      throws ErrnoException {
    byte[] name = unix.path().getBytes(java.nio.charset.StandardCharsets.UTF_8);
    if (name.length > Sockets.MAX_UNIX_PATH_BYTES) {
      throw new ErrnoException(Errno.ENAMETOOLONG, doing);
    }
    return Sockets.unix(unix.toString(), unix.isAbstract());
  }

  private static Sockets.RawAddress raw(InetAddress address, int port) {
    int scope = address instanceof Inet6Address six ? six.getScopeId() : 0;
    return Sockets.inet(address.getAddress(), port, scope);
  }

  private static List<InetAddress> resolve(SocketAddress.Inet inet, boolean listening)
      throws IOException {
    AioContext context = Coroutine.current().context();
    List<InetAddress> usable = new ArrayList<>();
    try {
      InetAddress[] all =
          context.callBlocking(
              () ->
                  listening && inet.host().isEmpty()
                      ? new InetAddress[] {InetAddress.getByAddress(new byte[16])}
                      : InetAddress.getAllByName(inet.host()));
      for (InetAddress each : all) {
        if (each instanceof Inet4Address ? inet.inet4() : inet.inet6()) {
          usable.add(each);
        }
      }
    } catch (UnknownHostException e) {
      throw unresolved(inet);
    }
    return usable;
  }

  private static IOException unresolved(SocketAddress.Inet inet) {
    return new UnknownHostException(
        "address resolution failed for "
            + inet.host()
            + ":"
            + inet.port()
            + ": Name or service not known");
  }
}

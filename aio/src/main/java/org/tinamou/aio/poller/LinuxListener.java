package org.tinamou.aio.poller;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.LinuxFiles;
import org.tinamou.host.Sockets;

/** A listening socket of the host; closed in the loop that accepts. */
final class LinuxListener implements ListenSocket {
  private final int fd;
  private final int port;
  private final boolean ring;
  private boolean closed;
  private @Nullable Coroutine accepting;
  private @Nullable FdWatch watch;

  LinuxListener(int fd, int port, boolean ring) {
    this.ring = ring;
    this.fd = fd;
    this.port = port;
  }

  @Override
  public StreamSocket accept() throws ErrnoException {
    Coroutine self = Coroutine.current();
    while (!closed && !self.isCancelRequested()) {
      int result = Sockets.accept(fd);
      if (result >= 0) {
        if (port >= 0) {
          Sockets.tuneTcp(result);
        }
        return new LinuxStream(result, ring);
      }
      Errno errno = Errno.ofResult(result);
      switch (errno) {
        case EAGAIN -> awaitConnection(self);
        // The peer has given up before it was its turn.
        case ECONNABORTED, EPROTO, ENETDOWN, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH -> {}
        default -> throw new ErrnoException(errno, "accept");
      }
    }
    throw new ErrnoException(Errno.ECANCELED, "accept");
  }

  private void awaitConnection(Coroutine self) {
    boolean[] ready = new boolean[1];
    FdWatch mine =
        self.context()
            .watch(
                fd,
                FdWatch.READABLE,
                events -> {
                  ready[0] = true;
                  self.wake();
                });
    watch = mine;
    accepting = self;
    try {
      while (!ready[0] && !closed && !self.isCancelRequested()) {
        Coroutine.suspend("connection");
      }
    } finally {
      accepting = null;
      watch = null;
      mine.remove();
    }
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    FdWatch watching = watch;
    if (watching != null) {
      watching.remove();
    }
    Coroutine waiter = accepting;
    if (waiter != null) {
      waiter.wake();
    }
    LinuxFiles.close(fd);
  }

  @Override
  public String toString() {
    return "listening socket " + fd;
  }
}

package org.tinamou.monitor.chardev;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.SocketAddress;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/** A socket that listens, or one that connects, perhaps again and again. */
final class SocketDevice extends CharDevice {
  private static final long NANOS_PER_SECOND = 1_000_000_000L;
  private static final long OUT_OF_DESCRIPTORS_NANOS = NANOS_PER_SECOND;

  private final AioContext main;
  private final CharSpec.Socket spec;
  private final Consumer<String> notices;
  private @Nullable ListenSocket listener;
  private @Nullable StreamSocket ready;
  private @Nullable StreamSocket latest;
  private @Nullable Coroutine waiting;
  private int connections;
  private boolean failed;
  private boolean closed;

  /**
   * Not yet opened.
   *
   * @param notices gets lines for whoever runs the process
   */
  SocketDevice(String id, AioContext main, CharSpec.Socket spec, Consumer<String> notices) {
    super(id);
    this.main = main;
    this.spec = spec;
    this.notices = notices;
  }

  /** Listens or connects; a client that connects again and again does not fail. */
  @InCoroutine
  void open() throws IOException {
    if (spec.server()) {
      listener = listen();
    } else if (spec.reconnectSeconds() == 0) {
      ready = connect();
    }
  }

  private ListenSocket listen() throws IOException {
    SocketAddress address = spec.target().address();
    if (!(address instanceof SocketAddress.Inet inet)) {
      return socket(() -> main.io().sockets().listen(address, 1));
    }
    for (int port = inet.port(); ; port++) {
      try {
        return main.io()
            .sockets()
            .listen(new SocketAddress.Inet(inet.host(), port, inet.inet4(), inet.inet6()), 1);
      } catch (ErrnoException e) {
        if (e.errno() != Errno.EADDRINUSE || port >= spec.target().lastPort()) {
          throw e;
        }
      }
    }
  }

  private StreamSocket connect() throws IOException {
    return socket(() -> main.io().sockets().connect(spec.target().address()));
  }

  /** How a socket is made. */
  @FunctionalInterface
  private interface Opening<T> {
    T open() throws IOException;
  }

  private <T> T socket(Opening<T> opening) throws IOException {
    try {
      return opening.open();
    } catch (ErrnoException e) {
      if (spec.target().address() instanceof SocketAddress.Descriptor(int fd)) {
        throw new IOException("File descriptor '" + fd + "' is not a socket", e);
      }
      throw e;
    }
  }

  @Override
  public String fileName() {
    ListenSocket listening = listener;
    String shown =
        spec.target().shown(listening == null ? -1 : listening.port(), spec.telnet())
            + (spec.server() ? ",server=on" : "");
    return connections > 0 || ready != null ? shown : "disconnected:" + shown;
  }

  @Override
  public void awaitReady() {
    if (spec.server() && spec.waits()) {
      notices.accept("info: QEMU waiting for connection on: " + fileName());
      ready = next();
    }
  }

  @Override
  public @Nullable StreamSocket next() {
    StreamSocket first = ready;
    ready = null;
    if (first != null) {
      return counted(first);
    }
    waiting = Coroutine.current();
    try {
      while (!closed) {
        StreamSocket next = spec.server() ? accept() : connectAgain();
        if (next != null) {
          return counted(next);
        }
        if (!spec.server() && spec.reconnectSeconds() == 0) {
          return null;
        }
      }
      return null;
    } finally {
      waiting = null;
    }
  }

  private @Nullable StreamSocket accept() {
    ListenSocket listening = listener;
    if (listening == null) {
      return null;
    }
    try {
      StreamSocket accepted = listening.accept();
      if (!spec.telnet()) {
        return accepted;
      }
      TelnetStream telnet = new TelnetStream(accepted);
      if (telnet.greet() > 0) {
        return telnet;
      }
      accepted.close();
    } catch (ErrnoException e) {
      if (!closed) {
        pause(OUT_OF_DESCRIPTORS_NANOS);
      }
    }
    return null;
  }

  private @Nullable StreamSocket connectAgain() {
    if (spec.reconnectSeconds() == 0) {
      return null;
    }
    try {
      StreamSocket connected = connect();
      failed = false;
      return spec.telnet() ? new TelnetStream(connected) : connected;
    } catch (IOException e) {
      if (!failed && !closed) {
        notices.accept("Unable to connect character device " + id() + ": " + e.getMessage());
      }
      failed = true;
      pause(spec.reconnectSeconds() * NANOS_PER_SECOND);
      return null;
    }
  }

  private void pause(long nanos) {
    Coroutine self = Coroutine.current();
    var timer = main.timer(ClockType.REALTIME, "socket " + id(), self::wake);
    timer.armIn(nanos);
    while (!closed && timer.isArmed()) {
      Coroutine.suspend("time to connect again");
    }
    timer.cancel();
  }

  private StreamSocket counted(StreamSocket stream) {
    connections++;
    latest = stream;
    return new CountedStream(stream, () -> connections--);
  }

  @Override
  public boolean canBeCut() {
    return true;
  }

  @Override
  public void cut() {
    StreamSocket unused = ready;
    StreamSocket current = unused == null ? latest : unused;
    if (current != null) {
      current.shutdown();
    }
  }

  @Override
  @Nullable Path leftBehindOrNull() {
    return listener != null && spec.target().address() instanceof SocketAddress.Unix(String path)
        ? Path.of(path)
        : null;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    StreamSocket unused = ready;
    if (unused != null) {
      unused.close();
    }
    ListenSocket listening = listener;
    if (listening != null) {
      listening.close();
    }
    Coroutine waiter = waiting;
    if (waiter != null) {
      waiter.requestCancel();
    }
  }
}

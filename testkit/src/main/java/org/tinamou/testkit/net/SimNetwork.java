package org.tinamou.testkit.net;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.SocketAddress;
import org.tinamou.aio.SocketHost;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.SeededRandom;
import org.tinamou.testkit.sim.SimClocks;

/** The sockets of a simulated host. */
public final class SimNetwork implements SocketHost {
  private static final long MAX_LATENCY_NANOS = 200_000;

  private final SeededRandom random;
  private final SimClocks clocks;
  private final Map<String, Listener> listeners = new HashMap<>();
  private final Set<SimStream> open = new LinkedHashSet<>();
  private long cuts;
  private long connectNanos;

  /**
   * A network without connections.
   *
   * @param random decides how long bytes take and in which pieces they come
   */
  public SimNetwork(SeededRandom random, SimClocks clocks) {
    this.random = random;
    this.clocks = clocks;
  }

  private final class Listener implements ListenSocket {
    private final String address;
    private final ArrayDeque<SimStream> queue = new ArrayDeque<>();
    private boolean closed;
    private @Nullable Coroutine accepting;

    Listener(String address) {
      this.address = address;
    }

    @Override
    public StreamSocket accept() throws ErrnoException {
      Coroutine self = Coroutine.current();
      accepting = self;
      try {
        while (true) {
          SimStream next = queue.poll();
          if (closed || self.isCancelRequested()) {
            if (next != null) {
              next.close();
            }
            throw new ErrnoException(Errno.ECANCELED, "accept");
          }
          if (next != null) {
            return next;
          }
          Coroutine.suspend("simulated connection");
        }
      } finally {
        accepting = null;
      }
    }

    @Override
    public int port() {
      return -1;
    }

    @Override
    public void close() {
      if (closed) {
        return;
      }
      closed = true;
      listeners.remove(address, this);
      for (SimStream each : queue) {
        each.close();
      }
      queue.clear();
      Coroutine waiting = accepting;
      if (waiting != null) {
        waiting.wake();
      }
    }
  }

  long nowNanos() {
    return clocks.nowNanos();
  }

  long latencyNanos() {
    return random.chance(1, 3) ? 0 : random.nextLong(MAX_LATENCY_NANOS);
  }

  /** How many of the bytes that are there one call delivers. */
  int pieceBytes(int most) {
    return random.chance(3, 4) ? most : 1 + random.nextInt(most);
  }

  /** Both ends of a new connection. */
  public List<SimStream> pair() {
    SimPipe there = new SimPipe(this);
    SimPipe back = new SimPipe(this);
    SimStream first = new SimStream(this, back, there);
    SimStream second = new SimStream(this, there, back);
    open.add(first);
    open.add(second);
    return List.of(first, second);
  }

  /** How long it takes to connect from now on. */
  public void setConnectNanos(long nanos) {
    connectNanos = nanos;
  }

  private void awaitConnected() throws ErrnoException {
    Coroutine self = Coroutine.current();
    boolean[] over = new boolean[1];
    AioTimer timer =
        self.context()
            .timer(
                ClockType.REALTIME,
                "simulated connect",
                () -> {
                  over[0] = true;
                  self.wake();
                });
    timer.armIn(connectNanos);
    while (!over[0] && !self.isCancelRequested()) {
      Coroutine.suspend("simulated connect");
    }
    timer.cancel();
    if (!over[0]) {
      throw new ErrnoException(Errno.ECANCELED, "connect");
    }
  }

  @Override
  public StreamSocket connect(SocketAddress address) throws IOException {
    Coroutine.yieldNow();
    if (connectNanos > 0) {
      awaitConnected();
    }
    Listener listener = listeners.get(address.toString());
    if (listener == null) {
      throw new ErrnoException(Errno.ECONNREFUSED, "Failed to connect to '" + address + "'");
    }
    List<SimStream> ends = pair();
    listener.queue.add(ends.getLast());
    Coroutine waiting = listener.accepting;
    if (waiting != null) {
      waiting.wake();
    }
    return ends.getFirst();
  }

  @Override
  public ListenSocket listen(SocketAddress address, int backlog) throws IOException {
    Listener listener = new Listener(address.toString());
    if (listeners.putIfAbsent(address.toString(), listener) != null) {
      throw new ErrnoException(Errno.EADDRINUSE, "Failed to bind socket");
    }
    return listener;
  }

  void closed(SimStream stream) {
    open.remove(stream);
  }

  /** How many ends of connections nobody has closed. */
  public int openSockets() {
    return open.size();
  }

  /** Resets a connection that is open, if there is one. */
  public void cutOne() {
    List<SimStream> all = new ArrayList<>(open);
    if (!all.isEmpty()) {
      cuts++;
      all.get(random.nextInt(all.size())).reset();
    }
  }

  /** How many connections {@link #cutOne} has reset. */
  public long cuts() {
    return cuts;
  }
}

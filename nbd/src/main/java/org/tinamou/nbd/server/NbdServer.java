package org.tinamou.nbd.server;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.ListenSocket;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/**
 * Shows exports to clients. It runs in one loop, the one it is made for, and what it is told comes
 * from there too; but whoever uses an export is served in the export's loop, where that is.
 */
public final class NbdServer implements ServerHandshake.Exports {
  /** What whoever runs a server may want to know. Called in the server's loop; must not wait. */
  public interface Listener {
    /** Not interested. */
    Listener NONE = new Listener() {};

    /** A client has not come to an export, and why. */
    default void handshakeFailed(String reason) {}

    /** A client that used an export has gone in a way that it should not. */
    default void sessionFailed(String reason) {}

    /** The number of connections has changed. */
    default void connections(int count) {}

    /** A client that used an export has gone; so many connections are left. */
    default void sessionEnded(int connectionsLeft) {}
  }

  private static final long ACCEPT_PAUSE_NANOS = 100_000_000;

  /** Whoever has not shaken hands for so long makes room for others. */
  private static final long EVICTION_NANOS = 300_000_000;

  private final AioContext context;
  private final ServerOptions options;
  private final Listener listener;
  private final MemoryBudget budget;
  private final Map<String, NbdExport> exports = new LinkedHashMap<>();
  private final Set<ServerConnection> connections = new LinkedHashSet<>();
  private final CoQueue changed = new CoQueue("NBD connections");
  private final Map<ListenSocket, Coroutine> accepting = new LinkedHashMap<>();
  private final AioTimer roomTimer;
  private boolean stopped;

  public NbdServer(AioContext context, ServerOptions options, Listener listener) {
    this.context = context;
    this.options = options;
    this.listener = listener;
    this.budget = new MemoryBudget(options.memoryBytes());
    this.roomTimer = context.timer(ClockType.REALTIME, "NBD room", changed::wakeAll);
  }

  // ------------------------------------------------------------------------------------ exports

  /** Shows an export from now on. */
  @HomeThread
  public void add(NbdExport export) {
    Check.argument(
        !exports.containsKey(export.name()), "there is an export '%s' already", export.name());
    exports.put(export.name(), export);
  }

  /** Whether clients use the export. */
  @HomeThread
  public boolean isUsed(NbdExport export) {
    return connections.stream().anyMatch(each -> each.export() == export);
  }

  /** The export has gone to another loop, where who uses it is served from now on. */
  @HomeThread
  public void moved(NbdExport export) {
    for (ServerConnection each : connections) {
      if (each.export() == export) {
        each.exportMoved();
      }
    }
  }

  /** Shows an export no longer; who uses it is cut off. Waits until its last request has ended. */
  @InCoroutine
  public void remove(NbdExport export) {
    exports.remove(export.name(), export);
    for (ServerConnection each : List.copyOf(connections)) {
      if (each.export() == export) {
        each.abort("the export was removed");
      }
    }
    while (isUsed(export)) {
      changed.await();
    }
  }

  @Override
  public @Nullable NbdExport find(String name) {
    return exports.get(name);
  }

  @Override
  public Collection<NbdExport> all() {
    return exports.values();
  }

  // -------------------------------------------------------------------------------- connections

  /** Takes connections from the socket, which is the server's from now on. */
  @HomeThread
  public void listen(ListenSocket socket) {
    Check.state(!stopped, "the server was stopped");
    accepting.put(socket, context.spawn("NBD accept", () -> accept(socket)));
  }

  private void accept(ListenSocket socket) {
    while (!stopped) {
      try {
        StreamSocket taken = socket.accept();
        awaitRoom();
        if (stopped) {
          taken.close();
        } else {
          serve(taken);
          // Others may be gone already, and make room.
          Coroutine.yieldNow();
        }
      } catch (ErrnoException e) {
        if (e.errno() == Errno.ECANCELED) {
          return;
        }
        // No descriptor or memory left: whoever ends gives some back.
        context.sleep(ClockType.REALTIME, ACCEPT_PAUSE_NANOS);
      }
    }
  }

  /** Waits until one more may come; whoever does not get on with its handshake makes room. */
  private void awaitRoom() {
    int most = options.maxConnections();
    while (!stopped && most > 0 && connections.size() >= most) {
      ServerConnection oldest = oldestInHandshake();
      if (oldest == null) {
        changed.await();
        continue;
      }
      long left = oldest.startedNanos() + EVICTION_NANOS - nowNanos();
      if (left > 0) {
        roomTimer.armIn(left);
        changed.await();
        roomTimer.cancel();
      } else {
        oldest.abort("others were waiting");
        changed.await();
      }
    }
  }

  private @Nullable ServerConnection oldestInHandshake() {
    for (ServerConnection each : connections) {
      if (each.export() == null && !each.isAborted()) {
        return each;
      }
    }
    return null;
  }

  private long nowNanos() {
    return context.clocks().nanos(ClockType.REALTIME);
  }

  /** Serves a client on a connection, which is the server's from now on. */
  @HomeThread
  public Coroutine serve(StreamSocket socket) {
    ServerConnection connection =
        new ServerConnection(this, context, socket, options, budget.newShare(), nowNanos());
    connections.add(connection);
    listener.connections(connections.size());
    return context.spawn("NBD connection", connection::run);
  }

  void ended(ServerConnection connection) {
    connections.remove(connection);
    changed.wakeAll();
    listener.connections(connections.size());
    if (connection.hasServed()) {
      listener.sessionEnded(connections.size());
    }
  }

  void exportChosen() {
    changed.wakeAll();
  }

  Listener listener() {
    return listener;
  }

  /** How many clients there are. */
  @HomeThread
  public int connectionCount() {
    return connections.size();
  }

  /** Bytes in flight beside each client's own part. */
  @HomeThread
  public long memoryInUseBytes() {
    return budget.usedSharedBytes();
  }

  /** Takes no more connections; those there are go on. */
  @InCoroutine
  public void stopListening() {
    List<Coroutine> ending = new ArrayList<>(accepting.values());
    for (ListenSocket each : accepting.keySet()) {
      each.close();
    }
    accepting.clear();
    changed.wakeAll();
    for (Coroutine each : ending) {
      each.requestCancel();
    }
  }

  /** Cuts off everybody, and waits until the last of their requests has ended. */
  @InCoroutine
  public void stop() {
    stopped = true;
    List<Coroutine> ending = new ArrayList<>(accepting.values());
    stopListening();
    for (ServerConnection each : List.copyOf(connections)) {
      each.abort("the server was stopped");
    }
    while (!connections.isEmpty()) {
      changed.await();
    }
    for (Coroutine each : ending) {
      each.join();
    }
  }
}

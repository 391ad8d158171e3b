package org.tinamou.monitor;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.ClockType;
import org.tinamou.monitor.chardev.CharDevice;
import org.tinamou.monitor.hmp.HumanTable;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;

/**
 * All monitors of a process: they share a table of commands, the queue in which those are carried
 * out, and the events. Belongs to the main loop.
 */
public final class Monitors implements Events {
  private static final long PATIENCE_NANOS = 1_000_000_000L;

  private final AioContext main;
  private final CommandTable commands;
  private final Json version;
  private final CommandQueue queue;
  private final List<Coroutine> attached = new ArrayList<>();
  private final EventThrottle throttle;
  private final Set<Session> sessions = new LinkedHashSet<>();
  private final Set<Coroutine> waiters = new LinkedHashSet<>();
  private boolean stopped;

  /**
   * No monitors yet.
   *
   * @param main the loop on which commands are carried out
   * @param version what {@code query-version} returns and clients are greeted with
   */
  public Monitors(AioContext main, CommandTable commands, Json version) {
    this.main = main;
    this.commands = commands;
    this.version = version;
    this.queue = new CommandQueue(main);
    this.throttle = new EventThrottle(main, this::deliver);
  }

  AioContext main() {
    return main;
  }

  CommandTable commands() {
    return commands;
  }

  /** Has commands wait: those that have begun go on, and out-of-band ones too. */
  @HomeThread
  public void holdCommands() {
    queue.hold();
  }

  /** Lets commands go on, those first that have waited. */
  @HomeThread
  public void releaseCommands() {
    queue.release();
  }

  CommandQueue queue() {
    return queue;
  }

  /**
   * Serves a QMP client on a connection, which is the session's from now on. Returns when nothing
   * more comes from the client, which may still be read to meanwhile.
   *
   * @param pretty whether answers have one member a line
   */
  @InCoroutine
  public void serveQmp(StreamSocket connection, boolean pretty) {
    serveQmp(new Object(), connection, pretty);
  }

  private void serveQmp(Object identity, StreamSocket connection, boolean pretty) {
    if (stopped) {
      connection.close();
      return;
    }
    QmpSession session = new QmpSession(this, identity, connection, pretty);
    sessions.add(session);
    session.run(version);
  }

  /** A coroutine that does what {@link #serveQmp} does. */
  @HomeThread
  public Coroutine startQmp(StreamSocket connection, boolean pretty) {
    return main.spawn("monitor", () -> serveQmp(connection, pretty));
  }

  /**
   * Serves all QMP clients of a character device, one after the other.
   *
   * @throws OptionException if the device has a user
   */
  @HomeThread
  public void attachQmp(CharDevice device, boolean pretty) throws OptionException {
    Object identity = new Object();
    attach(device, connection -> serveQmp(identity, connection, pretty));
  }

  /**
   * Serves a person on a connection; as {@link #serveQmp}.
   *
   * @param table the commands
   * @param history earlier lines, oldest first; gets those that are entered
   */
  @InCoroutine
  public void serveHuman(StreamSocket connection, HumanTable table, List<String> history) {
    serveHuman(new Object(), connection, table, history);
  }

  private void serveHuman(
      Object identity, StreamSocket connection, HumanTable table, List<String> history) {
    if (stopped) {
      connection.close();
      return;
    }
    HumanSession session = new HumanSession(this, identity, table, history, connection);
    sessions.add(session);
    session.run();
  }

  /**
   * Serves all people at a character device, one after the other.
   *
   * @throws OptionException if the device has a user
   */
  @HomeThread
  public void attachHuman(CharDevice device, HumanTable table) throws OptionException {
    Object identity = new Object();
    List<String> history = new ArrayList<>();
    attach(device, connection -> serveHuman(identity, connection, table, history));
    device.setRaw(true);
  }

  /** Adds {@code human-monitor-command} to the commands of QMP. */
  public static void addHumanMonitorCommand(CommandTable commands, HumanTable table) {
    commands.add(
        "human-monitor-command",
        (arguments, from) -> {
          // Ends of lines are those of a terminal here too.
          String text = table.run(arguments.string("command-line")).text();
          return new Json.Text(text.replace("\n", "\r\n"));
        });
  }

  private void attach(CharDevice device, Consumer<StreamSocket> server) throws OptionException {
    if (!device.claim()) {
      throw new OptionException("Device '" + device.id() + "' is in use");
    }
    attached.removeIf(Coroutine::isEnded);
    attached.add(
        main.spawn(
            "monitor on " + device.id(),
            () -> {
              StreamSocket connection;
              while ((connection = device.next()) != null) {
                server.accept(connection);
              }
            }));
  }

  /** Waits until nobody serves a device any more: all that had a monitor have been closed. */
  @InCoroutine
  public void awaitDetached() {
    List.copyOf(attached).forEach(Coroutine::join);
    queue.awaitRest();
  }

  @HomeThread
  @Override
  public void emit(String name, Json.Members data) {
    long now = main.clocks().nanos(ClockType.HOST);
    Json.Members event =
        new Json.Members()
            .put(
                "timestamp",
                new Json.Members()
                    .put("seconds", Math.floorDiv(now, 1_000_000_000L))
                    .put("microseconds", Math.floorMod(now, 1_000_000_000L) / 1_000))
            .put("event", name);
    if (!data.members().isEmpty()) {
      event.put("data", data);
    }
    throttle.offer(name, data, event);
  }

  private void deliver(Json event) {
    for (Session session : List.copyOf(sessions)) {
      session.event(event);
    }
  }

  void closed(Session session) {
    sessions.remove(session);
    waiters.forEach(Coroutine::wake);
  }

  void progressed() {
    waiters.forEach(Coroutine::wake);
  }

  /** How many connections are open. */
  @HomeThread
  public int sessionCount() {
    return sessions.size();
  }

  /** What clients have not read yet, of all sessions together. */
  @HomeThread
  public long outputBytes() {
    return sessions.stream().mapToLong(Session::outputBytes).sum();
  }

  /**
   * Ends all sessions: commands that have not begun are forgotten, one that has is waited for, what
   * clients have not read after a second is lost. Idempotent.
   */
  @InCoroutine
  public void stop() {
    stopped = true;
    throttle.stop();
    Coroutine self = Coroutine.current();
    waiters.add(self);
    List.copyOf(sessions).forEach(Session::endInput);
    boolean[] late = new boolean[1];
    AioTimer timer =
        main.timer(
            ClockType.REALTIME,
            "end of monitors",
            () -> {
              late[0] = true;
              self.wake();
            });
    timer.armIn(PATIENCE_NANOS);
    while (!late[0] && !sessions.stream().allMatch(Session::isSent)) {
      Coroutine.suspend("what monitors have to send");
    }
    timer.cancel();
    List.copyOf(sessions).forEach(Session::abandon);
    while (!sessions.isEmpty()) {
      Coroutine.suspend("end of monitors");
    }
    waiters.remove(self);
  }
}

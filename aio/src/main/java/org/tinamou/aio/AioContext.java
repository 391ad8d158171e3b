package org.tinamou.aio;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;

/**
 * One thread's event loop: bottom halves, timers, watched descriptors, I/O completions and the
 * coroutines that belong to it.
 *
 * <p>The thread that first turns the loop is its home thread for ever; only that thread polls.
 * There is no nested poll: whoever has to wait is a coroutine, or a foreign thread that waits on
 * the future of {@link #submit}. Callbacks (bottom halves, timers, handlers) must not block.
 *
 * <p>One turn of the loop: poll, then everything that was queued until then, then ready
 * descriptors, then due timers.
 */
public final class AioContext implements AutoCloseable {
  private static final long BLOCKED_PATIENCE_NANOS = 50_000_000L;

  private static final ThreadLocal<@Nullable AioContext> TURNED_BY_THREAD = new ThreadLocal<>();

  private final LoopSetup setup;
  private final Poller poller;
  private final LoopHooks hooks;
  private final TaskQueue queue = new TaskQueue();
  private final SleepGate gate = new SleepGate();
  private final LoopTurn turn;
  private final IoEngine io;
  private final Runnable onClockChange = this::kick;

  private final LoopWatches watches;
  private final LoopTimers timers;
  private final LiveCoroutines live = new LiveCoroutines();

  private final List<Coroutine> blocked = new ArrayList<>();
  private final AioTimer blockedCheck;

  private volatile @Nullable Thread homeThread;
  private @Nullable Coroutine running;
  private volatile boolean turning;
  private volatile boolean stopRequested;
  private volatile boolean closed;

  public AioContext(LoopSetup setup) {
    this.setup = setup;
    this.poller = setup.poller();
    this.hooks = setup.hooks();
    this.watches = new LoopWatches(this, poller);
    this.timers = new LoopTimers(this);
    this.io = new IoEngine(this, poller);
    this.turn = new LoopTurn(this, setup.busyPolling());
    this.blockedCheck = timer(ClockType.REALTIME, "blocked coroutines", this::checkBlocked);
    setup.clocks().onChange(onClockChange);
  }

  @AnyThread
  public String name() {
    return setup.name();
  }

  @AnyThread
  public Clocks clocks() {
    return setup.clocks();
  }

  /** The host's blocking file calls; coroutines wrap them in {@link #callBlocking}. */
  @AnyThread
  public HostFiles hostFiles() {
    return setup.hostFiles();
  }

  /** File I/O for coroutines of this loop. */
  @AnyThread
  public IoEngine io() {
    return io;
  }

  /** Counters of this loop, readable from any thread. */
  @AnyThread
  public LoopTurn turn() {
    return turn;
  }

  /** The loop the caller runs on, in a callback or in a coroutine; null on foreign threads. */
  @AnyThread
  public static @Nullable AioContext currentOrNull() {
    Coroutine coroutine = Coroutine.currentOrNull();
    return coroutine == null ? TURNED_BY_THREAD.get() : coroutine.runningOn();
  }

  /** Whether the caller runs on this loop's home thread, in a callback or in a coroutine. */
  @AnyThread
  public boolean isHome() {
    AioContext current = currentOrNull();
    return current == null ? Thread.currentThread() == homeThread : current == this;
  }

  boolean isClosed() {
    return closed;
  }

  void checkHome() {
    Thread home = homeThread;
    // Before the first turn whoever builds the loop may prepare it.
    Check.state(home == null || isHome(), "%s: called outside of its home thread", name());
  }

  // ---------------------------------------------------------------- bottom halves and coroutines

  /** A reusable bottom half, not yet scheduled. */
  @AnyThread
  public BottomHalf bottomHalf(String name, Runnable callback) {
    return new BottomHalf(this, name, callback);
  }

  /** Runs the callback once, soon, on the home thread. */
  @AnyThread
  public void scheduleOnce(String name, Runnable callback) {
    new BottomHalf(this, name, callback).schedule();
  }

  /**
   * Starts a coroutine on this loop; it first runs in a later step of the loop. Fails if the loop
   * is closed.
   */
  @AnyThread
  public Coroutine spawn(String name, Coroutine.Body body) {
    Coroutine coroutine = new Coroutine(this, name, body);
    coroutine.start();
    return coroutine;
  }

  /** Starts a coroutine whose result or exception another coroutine collects. */
  @AnyThread
  public <T extends @Nullable Object> Forked<T> fork(String name, Callable<T> body) {
    Forked<T> forked = new Forked<>(body);
    forked.coroutine = spawn(name, forked);
    return forked;
  }

  /**
   * Runs the body in a coroutine of this loop for a foreign thread, which may wait on the future. A
   * coroutine must not wait on it.
   */
  @AnyThread
  public <T> CompletableFuture<T> submit(String name, Callable<T> body) {
    CompletableFuture<T> future = new CompletableFuture<>();
    spawn(
        name,
        () -> {
          try {
            future.complete(body.call());
          } catch (Throwable e) {
            future.completeExceptionally(e);
          }
        });
    return future;
  }

  /**
   * Runs a blocking call on a worker while the calling coroutine is parked, and returns or throws
   * what the call did.
   */
  @InCoroutine
  public <T extends @Nullable Object, E extends Exception> T callBlocking(BlockingCall<T, E> call)
      throws E {
    return BlockingCall.Job.run(setup.workers(), call);
  }

  /** Parks the calling coroutine for a time of the given clock. */
  @InCoroutine
  public void sleep(ClockType clock, long nanos) {
    checkHome();
    Coroutine self = Coroutine.current();
    boolean[] fired = new boolean[1];
    AioTimer timer =
        timer(
            clock,
            "sleep of " + self.name(),
            () -> {
              fired[0] = true;
              self.wake();
            });
    timer.armIn(nanos);
    while (!fired[0]) {
      Coroutine.suspend("sleep");
    }
  }

  /** False if the loop is closed. */
  boolean enqueue(BottomHalf bottomHalf) {
    if (!queue.push(bottomHalf)) {
      return false;
    }
    wakeForTask();
    return true;
  }

  /** Called inside the JDK's unpark: does not throw. Returns false if the loop is closed. */
  boolean enqueueResumption(Coroutine.Resumption resumption) {
    if (!queue.push(resumption)) {
      return false;
    }
    hooks.onResumptionQueued(this, resumption.coroutine);
    wakeForTask();
    return true;
  }

  private void wakeForTask() {
    hooks.at(this, LoopHooks.Point.TASK_QUEUED);
    kick();
  }

  /** Wakes the loop if it waits. */
  private void kick() {
    if (gate.mustWake()) {
      hooks.at(this, LoopHooks.Point.WAKE_CLAIMED);
      poller.wake();
      gate.wakeDelivered();
    }
  }

  /** The poller reports: what that queues needs no wake-up. */
  @HomeThread
  void stopWaiting() {
    gate.awake();
  }

  LiveCoroutines live() {
    return live;
  }

  void resume(Coroutine coroutine, Runnable continuation) {
    hooks.onResume(this, coroutine);
    running = coroutine;
    try {
      continuation.run();
    } finally {
      running = null;
    }
    // If it belongs to another loop now, it may already run there.
    if (coroutine.context() == this) {
      checkWaiting(coroutine);
    }
  }

  private void checkWaiting(Coroutine coroutine) {
    Thread.State state = coroutine.thread().getState();
    if (state == Thread.State.TIMED_WAITING || state == Thread.State.BLOCKED) {
      checkForeignPause(coroutine, state);
    }
  }

  /**
   * A coroutine that threads of the JDK would resume. Before a monitor it may stand for a moment
   * and through nobody's fault, when two loops load one class, say; whoever stands there longer is
   * told of.
   */
  private void checkForeignPause(Coroutine coroutine, Thread.State state) {
    if (state == Thread.State.BLOCKED) {
      hooks.onForeignPause(this, coroutine);
      blocked.add(coroutine);
      if (!blockedCheck.isArmed()) {
        blockedCheck.armIn(BLOCKED_PATIENCE_NANOS);
      }
    } else {
      reportForeignPause(coroutine, state);
    }
  }

  private void checkBlocked() {
    List<Coroutine> suspects = List.copyOf(blocked);
    blocked.clear();
    for (Coroutine coroutine : suspects) {
      if (coroutine.context() == this && coroutine.thread().getState() == Thread.State.BLOCKED) {
        reportForeignPause(coroutine, Thread.State.BLOCKED);
      }
    }
  }

  private void reportForeignPause(Coroutine coroutine, Thread.State state) {
    reportFailure(
        coroutine,
        new IllegalStateException(
            coroutine
                + " is "
                + state
                + ": threads of the JDK would resume it; use a timer or a coroutine lock"));
  }

  /** Tells of a failure; the loop goes on even if that fails as well. */
  void reportFailure(Object source, Throwable failure) {
    try {
      setup.failures().failed(this, source, failure);
    } catch (Throwable second) {
      Thread thread = Thread.currentThread();
      second.addSuppressed(failure);
      thread.getUncaughtExceptionHandler().uncaughtException(thread, second);
    }
  }

  LoopHooks hooks() {
    return hooks;
  }

  // -------------------------------------------------------------------- descriptors and timers

  /**
   * Watches a descriptor, which stays the caller's and must outlive the watch.
   *
   * @param events {@link FdWatch#READABLE}, {@link FdWatch#WRITABLE}, both or 0
   */
  @HomeThread
  public FdWatch watch(int fd, int events, FdWatch.Handler handler) {
    return watches.add(fd, events, handler);
  }

  LoopWatches watches() {
    return watches;
  }

  /** A timer of this loop, not yet armed. */
  @AnyThread
  public AioTimer timer(ClockType clock, String name, Runnable callback) {
    return new AioTimer(this, clock, name, callback);
  }

  LoopTimers timers() {
    return timers;
  }

  // ------------------------------------------------------------------------------- turning it

  void guarded(Object source, Runnable callback) {
    try {
      callback.run();
    } catch (Throwable e) {
      reportFailure(source, e);
    }
  }

  void runTask(Task task) {
    hooks.at(this, LoopHooks.Point.TASK_UNLINKED);
    try {
      task.runOn(this);
    } catch (Throwable e) {
      reportFailure(task, e);
    }
  }

  TaskQueue queue() {
    return queue;
  }

  SleepGate gate() {
    return gate;
  }

  Poller poller() {
    return poller;
  }

  boolean isStopRequested() {
    return stopRequested;
  }

  /** Home thread, after the loop has stopped: it may be turned again. */
  void clearStop() {
    stopRequested = false;
    turn.clearStop();
  }

  boolean isTurning() {
    return turning;
  }

  /**
   * Runs the body in a coroutine and turns the loop on the calling thread until the coroutine has
   * ended; returns or throws what the body did. The coroutine may move meanwhile; it ends here.
   * Refused inside of a loop: no nested poll.
   */
  public <T extends @Nullable Object> T runUntilDone(String name, Callable<T> body)
      throws Exception {
    enter();
    try {
      Forked<T> forked = fork(name, () -> callAndComeHome(body));
      while (!forked.isEnded()) {
        turn.advance();
      }
      return forked.result();
    } finally {
      leave();
    }
  }

  private <T extends @Nullable Object> T callAndComeHome(Callable<T> body) throws Exception {
    try {
      return body.call();
    } finally {
      Coroutine.moveTo(this);
    }
  }

  /**
   * Turns the loop on the calling thread until {@link #requestStop()} and nothing is queued, or
   * what is queued does not come to an end.
   */
  void runUntilStopped() {
    enter();
    try {
      while (!turn.isStopped()) {
        turn.advance();
      }
    } finally {
      leave();
    }
  }

  /**
   * Takes one step of the loop for a simulator, which calls from one thread for all its loops. A
   * step in which the loop runs nobody's code (it collects, announces, polls) may be taken inside a
   * step of another loop.
   */
  public void stepSimulated() {
    Check.state(!turning, "%s: nested poll refused", name());
    AioContext outer = TURNED_BY_THREAD.get();
    if (homeThread == null && !Thread.currentThread().isVirtual()) {
      homeThread = Thread.currentThread();
    }
    TURNED_BY_THREAD.set(this);
    turning = true;
    try {
      turn.step();
    } finally {
      turning = false;
      if (outer == null) {
        TURNED_BY_THREAD.remove();
      } else {
        TURNED_BY_THREAD.set(outer);
      }
    }
  }

  private void enter() {
    Check.state(!closed, "%s is closed", name());
    Check.state(
        currentOrNull() == null, "%s: nested poll refused: wait in a coroutine instead", name());
    Thread caller = Thread.currentThread();
    Thread home = homeThread;
    Check.state(
        home == null || home == caller, "%s: polled outside of its home thread %s", name(), home);
    Check.state(!turning, "%s: nested poll refused", name());
    homeThread = caller;
    TURNED_BY_THREAD.set(this);
    turning = true;
  }

  private void leave() {
    turning = false;
    TURNED_BY_THREAD.remove();
  }

  /** Lets the loop end once nothing is pending. */
  @AnyThread
  public void requestStop() {
    stopRequested = true;
    kick();
  }

  // ------------------------------------------------------------------------------ looking at it

  /** What is still alive in this loop, one line each; exact on the home thread only. */
  @AnyThread
  public List<String> dump() {
    List<String> lines = dumpApartFromTasks();
    if (!queue.isEmpty() || turn.hasTasks()) {
      lines.add("queued tasks");
    }
    return lines;
  }

  private List<String> dumpApartFromTasks() {
    List<String> lines = new ArrayList<>(live.dump());
    lines.addAll(timers.dump());
    lines.addAll(watches.dump());
    if (poller.inFlight() > 0) {
      lines.add(poller.inFlight() + " I/O requests in flight");
    }
    return lines;
  }

  boolean hasOnlyQueuedTasks() {
    return dumpApartFromTasks().isEmpty();
  }

  /** How many coroutines live here, as far as they have started. */
  @HomeThread
  public int liveCoroutines() {
    return live.count();
  }

  /** The coroutine that runs now, for a watchdog; null between two. */
  @AnyThread
  @Nullable Coroutine running() {
    return running;
  }

  /** The thread that turns the loop; null before its first turn. */
  @AnyThread
  public @Nullable Thread homeThread() {
    return homeThread;
  }

  /**
   * Frees the loop. Fails, naming them, if coroutines, timers, watches, requests or queued tasks
   * are still alive; the loop stays open then.
   */
  @HomeThread
  @Override
  public void close() {
    if (closed) {
      return;
    }
    checkHome();
    Check.state(!turning, "%s cannot be closed from inside", name());
    blockedCheck.cancel();
    List<String> alive = dump();
    Check.state(alive.isEmpty(), "%s cannot be closed: %s", name(), String.join("; ", alive));
    Check.state(queue.close(), "%s cannot be closed: queued tasks", name());
    closed = true;
    clocks().removeListener(onClockChange);
    gate.awaitWakers();
    io.close();
    poller.close();
  }

  /** A coroutine whose outcome is kept for whoever joins it. */
  public static final class Forked<T extends @Nullable Object> implements Coroutine.Body {
    private record Outcome<T extends @Nullable Object>(T value, @Nullable Throwable failure) {}

    private final Callable<T> body;
    private final AtomicReference<@Nullable Outcome<T>> outcome = new AtomicReference<>();
    private @Nullable Coroutine coroutine;

    private Forked(Callable<T> body) {
      this.body = body;
    }

    /** Not for callers. */
    @SuppressWarnings("NullAway") // the value of a failed outcome is never read
    @Override
    public void run() {
      try {
        outcome.set(new Outcome<>(body.call(), null));
      } catch (Throwable e) {
        outcome.set(new Outcome<>(null, e));
      }
    }

    @AnyThread
    public Coroutine coroutine() {
      return java.util.Objects.requireNonNull(coroutine);
    }

    boolean isEnded() {
      return coroutine().isEnded();
    }

    /** Waits for the end and returns the body's result or throws what it threw. */
    @InCoroutine
    public T join() throws Exception {
      coroutine().join();
      return result();
    }

    T result() throws Exception {
      Outcome<T> ended = outcome.get();
      Check.state(ended != null, "%s has not ended", coroutine());
      Throwable failure = java.util.Objects.requireNonNull(ended).failure();
      switch (failure) {
        case null -> {
          return ended.value();
        }
        case Exception e -> throw e;
        case Error e -> throw e;
        default -> throw new IllegalStateException(failure);
      }
    }
  }
}

package org.tinamou.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;

/**
 * Plain blocking Java that runs on a loop: a virtual thread whose scheduler is the {@link
 * AioContext} it belongs to. Parking yields to the loop; being woken queues it there, first in
 * first out.
 *
 * <p>What it waits with must be of this package ({@link CoMutex}, {@link CoQueue}, {@link
 * AioTimer}, {@link IoEngine} ...): the JDK's timed parks, monitors and blocking channels would be
 * resumed by threads of the JDK, and the loop reports a coroutine that it finds in one. A coroutine
 * is never interrupted; {@link #requestCancel()} raises a flag it looks at itself.
 */
public final class Coroutine {
  /** What a coroutine runs. */
  @FunctionalInterface
  public interface Body {
    void run() throws Exception;
  }

  /** Where the stack ends of those who wait or sleep. */
  private static final Set<String> WAITS_OF_JDK =
      Set.of("java.lang.Object", "java.lang.Thread", "java.lang.VirtualThread");

  private static final ThreadLocal<@Nullable Coroutine> CURRENT = new ThreadLocal<>();
  private static final JoinNode ENDED = new JoinNode(null, null);
  private static final VarHandle JOINERS;
  private static final VarHandle QUEUED;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      JOINERS = lookup.findVarHandle(Coroutine.class, "joiners", JoinNode.class);
      QUEUED = lookup.findVarHandle(Resumption.class, "queued", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** A link in the stack of those who wait for the end. */
  private static final class JoinNode {
    final @Nullable Coroutine joiner;
    final @Nullable JoinNode next;

    JoinNode(@Nullable Coroutine joiner, @Nullable JoinNode next) {
      this.joiner = joiner;
      this.next = next;
    }
  }

  /** The queue entry and scheduler of one coroutine. */
  static final class Resumption extends Task implements Executor {
    final Coroutine coroutine;
    @Nullable Runnable continuation;

    /** Set before the resumption is queued, looked at after it was taken. */
    private boolean resumedByJdk;

    @SuppressWarnings("unused") // through QUEUED
    private volatile boolean queued;

    Resumption(Coroutine coroutine) {
      this.coroutine = coroutine;
    }

    /**
     * Called by the JDK whenever the virtual thread can go on, by whichever thread made that so.
     * Never blocks or parks, and only refuses strangers: a virtual thread that coroutine code
     * starts would inherit this scheduler, and fails to start instead.
     */
    @Override
    public void execute(Runnable task) {
      boolean first = continuation == null;
      if (first) {
        continuation = task;
      } else if (continuation != task) {
        throw new RejectedExecutionException(
            "a coroutine cannot start virtual threads: spawn a coroutine instead");
      } else {
        noticeJdk();
      }
      if (!queue() && first) {
        throw new RejectedExecutionException(coroutine.context.name() + " is closed");
      }
    }

    private void noticeJdk() {
      Thread caller = Thread.currentThread();
      if (caller != coroutine.context.homeThread()
          && !caller.isVirtual()
          && CoroutineDoor.belongsToJdk(caller)) {
        resumedByJdk = true;
      }
    }

    /** False if the loop is closed. Then nothing of the coroutine is left to run, or it moves. */
    private boolean queue() {
      // The JDK may submit twice (getStackTrace does); one turn serves both.
      if (!QUEUED.compareAndSet(this, false, true)) {
        return true;
      }
      if (coroutine.context.enqueueResumption(this)) {
        return true;
      }
      AioContext source = coroutine.movingFrom;
      if (source == null) {
        return false;
      }
      // The loop it wants to move to was closed: it goes on where it was and learns of it there.
      coroutine.context = source;
      return source.enqueueResumption(this);
    }

    @Override
    void runOn(AioContext runner) {
      queued = false;
      Coroutine self = coroutine;
      if (self.context != runner) {
        // Queued here before its context changed: it runs where it belongs now.
        queue();
        return;
      }
      if (resumedByJdk) {
        resumedByJdk = false;
        if (self.waitedByJdk()) {
          runner.reportFailure(
              self,
              new IllegalStateException(
                  self + " was resumed by a thread of the JDK; use a timer or a coroutine lock"));
        }
      }
      // A duplicate may come here while the coroutine runs or has ended: only its own code, which
      // then does not run, may write down where it is.
      runner.resume(self, java.util.Objects.requireNonNull(continuation));
      // From here on the coroutine may already run on another loop: nothing of it is touched.
    }
  }

  /** Links of the list of live coroutines; belong to the loop that has it in its list. */
  @Nullable Coroutine previousLive;

  @Nullable Coroutine nextLive;

  final Resumption resumption;

  private final String name;
  private final Thread thread;
  private final Body body;
  private volatile AioContext context;
  private @Nullable AioContext runningOn;
  private @Nullable AioContext movingFrom;
  private @Nullable String waitingFor;
  private @Nullable Object subject;
  private @Nullable Object spare;
  private volatile boolean cancelRequested;

  @SuppressWarnings("unused") // through JOINERS
  private volatile @Nullable JoinNode joiners;

  Coroutine(AioContext context, String name, Body body) {
    this.context = context;
    this.name = name;
    this.body = body;
    this.resumption = new Resumption(this);
    this.thread = CoroutineDoor.newThread(resumption, name, this::runBody);
  }

  void start() {
    try {
      thread.start();
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException("cannot start " + this + ": " + e.getMessage(), e);
    }
  }

  /** Whether it slept or waited in a way of the JDK's. Asked while the coroutine does not run. */
  private boolean waitedByJdk() {
    StackTraceElement[] stack = thread.getStackTrace();
    return stack.length > 0 && WAITS_OF_JDK.contains(stack[0].getClassName());
  }

  Thread thread() {
    return thread;
  }

  private void runBody() {
    CURRENT.set(this);
    arriveOn(context);
    try {
      body.run();
    } catch (Throwable e) {
      context.reportFailure(this, e);
    } finally {
      AioContext last = context;
      last.live().remove(this);
      last.hooks().onEnd(last, this);
      wakeJoiners();
    }
  }

  private void wakeJoiners() {
    JoinNode node = (JoinNode) JOINERS.getAndSet(this, ENDED);
    while (node != null) {
      java.util.Objects.requireNonNull(node.joiner).wake();
      node = node.next;
    }
  }

  /** The coroutine that calls; fails outside of one. */
  @InCoroutine
  public static Coroutine current() {
    Coroutine current = currentOrNull();
    Check.state(current != null, "not in a coroutine");
    return java.util.Objects.requireNonNull(current);
  }

  /**
   * As {@link #current()}, cheaper if it is a coroutine of the given loop.
   *
   * @param likely where the caller probably runs
   */
  @InCoroutine
  public static Coroutine current(AioContext likely) {
    Coroutine running = likely.running();
    return running != null && running.thread == Thread.currentThread() ? running : current();
  }

  /**
   * Whether the caller is a coroutine, and one that runs on this loop now. Costs next to nothing.
   */
  @AnyThread
  public static boolean isRunningOn(AioContext loop) {
    Coroutine running = loop.running(); // of other threads' loops perhaps one that has gone on here
    return running != null && running.thread == Thread.currentThread() && running.runningOn == loop;
  }

  /** The coroutine that calls, or null outside of one. */
  @AnyThread
  public static @Nullable Coroutine currentOrNull() {
    return Thread.currentThread().isVirtual() ? CURRENT.get() : null;
  }

  public String name() {
    return name;
  }

  /** The loop the coroutine belongs to now. */
  @AnyThread
  public AioContext context() {
    return context;
  }

  /**
   * What was given to {@link #spare(Object)} last: an object the coroutine made for one request and
   * can use for its next. Only the running coroutine may ask.
   */
  @InCoroutine
  public @Nullable Object spare() {
    return spare;
  }

  @InCoroutine
  public void spare(@Nullable Object object) {
    spare = object;
  }

  /** The loop whose thread carries the coroutine; only the running coroutine may ask. */
  @Nullable AioContext runningOn() {
    return runningOn;
  }

  /**
   * Parks the calling coroutine until somebody calls {@link #wake()}. Returns at once if it was
   * woken since it last parked, so it must stand in a loop on the condition it waits for.
   *
   * @param reason what it waits for, for dumps
   */
  @InCoroutine
  public static void suspend(String reason) {
    current().suspendSelf(reason);
  }

  /** As {@link #suspend}, for a caller that knows it is this coroutine. */
  void suspendSelf(String reason) {
    waitingFor = reason;
    LockSupport.park();
    waitingFor = null;
    if (Thread.interrupted()) {
      // Left set, the flag would end every park at once.
      context.reportFailure(
          this, new IllegalStateException(this + " was interrupted: it takes requestCancel()"));
    }
  }

  /** Lets the coroutine go on, on its own loop; remembered if it is not parked. Never blocks. */
  @AnyThread
  public void wake() {
    LockSupport.unpark(thread);
  }

  /** Goes to the end of the loop's queue. */
  @SuppressWarnings("ThreadPriorityCheck") // the scheduler is the loop
  @InCoroutine
  public static void yieldNow() {
    current();
    Thread.yield();
  }

  /**
   * Continues the calling coroutine on another loop. When it returns, it runs on the target's home
   * thread, and nothing of it remains with the old loop. When it fails, because a native frame pins
   * the coroutine or the target is closed, all is as before.
   */
  @SuppressWarnings("ThreadPriorityCheck") // the scheduler is the loop
  @InCoroutine
  public static void moveTo(AioContext target) {
    Coroutine self = current();
    AioContext source = self.context;
    if (source == target) {
      return;
    }
    source.live().remove(self);
    self.movingFrom = source;
    self.context = target;
    try {
      Thread.yield();
    } finally {
      self.movingFrom = null;
      self.arriveOn(self.isCarriedBy(target) ? target : source);
    }
    Check.state(
        self.runningOn == target,
        "%s cannot leave %s: %s",
        self,
        source.name(),
        target.isClosed() ? target.name() + " is closed" : "it is pinned");
  }

  /** Whether the loop's thread carries the coroutine, which calls. */
  private boolean isCarriedBy(AioContext loop) {
    AioContext before = java.util.Objects.requireNonNull(runningOn);
    return loop.homeThread() == before.homeThread()
        ? loop.running() == this
        : loop.homeThread() == CoroutineDoor.currentCarrier();
  }

  private void arriveOn(AioContext loop) {
    context = loop;
    runningOn = loop;
    loop.live().add(this);
  }

  /** Whether the body has ended. */
  @AnyThread
  public boolean isEnded() {
    return joiners == ENDED;
  }

  /** Waits until the body has ended, however it ended. A coroutine cannot join itself. */
  @InCoroutine
  public void join() {
    Coroutine self = current();
    Check.state(self != this, "coroutine %s joins itself", name);
    while (true) {
      JoinNode seen = joiners;
      if (seen == ENDED) {
        return;
      }
      if (JOINERS.compareAndSet(this, seen, new JoinNode(self, seen))) {
        break;
      }
    }
    while (!isEnded()) {
      suspend("join");
    }
  }

  /** Raises the cancel flag; the body decides what it means and when to look. */
  @AnyThread
  public void requestCancel() {
    cancelRequested = true;
    wake();
  }

  @AnyThread
  public boolean isCancelRequested() {
    return cancelRequested;
  }

  /** Names what the coroutine works for (a node, a request), for dumps; null for nothing. */
  @InCoroutine
  public static void describe(@Nullable Object subject) {
    current().subject = subject;
  }

  /** One line for a dump; exact on the home thread, approximate elsewhere. */
  String dumpLine() {
    String wait = waitingFor;
    Object about = subject;
    return "coroutine "
        + name
        + (about == null ? "" : " for " + about)
        + (wait == null ? "" : ", waiting for " + wait);
  }

  @Override
  public String toString() {
    return "coroutine " + name;
  }
}

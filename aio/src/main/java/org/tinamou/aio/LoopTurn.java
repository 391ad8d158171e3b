package org.tinamou.aio;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.ClockType;

/**
 * The steps of a loop, one at a time: production takes them back to back, a simulator lets the
 * steps of other loops get in between. Also keeps the loop's counters.
 */
public final class LoopTurn {
  /** Where the loop stands between two steps. */
  public enum Phase {
    /** Takes what was queued. */
    COLLECT,
    /** Runs what was taken. */
    TASKS,
    /** Runs the handlers of ready descriptors. */
    READY,
    /** Fires due timers, then decides whether to wait. */
    TIMERS,
    /** Looks for work without waiting. */
    SPIN,
    /** Announces that it will wait. */
    ANNOUNCE,
    /** Looks for work a last time. */
    RECHECK,
    /** Polls, waiting if there was no work. */
    POLL
  }

  /** How long what is queued may go on after a stop was requested. */
  private static final int MAX_STOPPING_TURNS = 1000;

  private final AioContext context;
  private final TaskQueue queue;
  private final SleepGate gate;
  private final Poller poller;
  private volatile BusyPolling busyPolling;

  private Phase phase = Phase.POLL;
  private @Nullable Task batch;
  private int timersLeft;
  private long pollTimeoutNanos;
  private boolean stopped;
  private int stoppingTurns;
  private long spinNanos;
  private long idleSinceNanos;
  private boolean idle;

  private long turns;
  private long spins;
  private long tasksRun;
  private volatile boolean waiting;

  LoopTurn(AioContext context, BusyPolling busyPolling) {
    this.context = context;
    this.queue = context.queue();
    this.gate = context.gate();
    this.poller = context.poller();
    this.busyPolling = busyPolling;
  }

  /** Takes one step. */
  void step() {
    switch (phase) {
      case COLLECT -> {
        batch = queue.takeAll();
        if (batch != null && context.hooks().arranges()) {
          batch = arranged(batch);
        }
        phase = Phase.TASKS;
      }
      case TASKS -> runTasks();
      case READY -> {
        if (!context.watches().dispatchOne()) {
          timersLeft = context.timers().count();
          phase = Phase.TIMERS;
        }
      }
      case TIMERS -> {
        if (timersLeft == 0 || !context.timers().fireOne()) {
          decideToWait();
        } else {
          timersLeft--;
        }
      }
      case SPIN -> spin();
      case ANNOUNCE -> {
        gate.announceSleep();
        phase = Phase.RECHECK;
      }
      case RECHECK -> {
        pollTimeoutNanos = hasWorkBeforeWaiting() ? 0 : context.timers().timeoutNanos();
        if (pollTimeoutNanos != 0) {
          waiting = true;
        }
        phase = Phase.POLL;
      }
      case POLL -> poll();
    }
  }

  /** Takes one step, or all steps of the tasks at hand: what nobody can get in between of. */
  void advance() {
    if (phase == Phase.TASKS) {
      while (batch != null) {
        runTasks();
      }
    }
    step();
  }

  private void runTasks() {
    Task task = batch;
    if (task == null) {
      phase = Phase.READY;
      return;
    }
    // Unlink first: once its flag is cleared any thread may queue the task anew.
    batch = task.next;
    task.next = null;
    tasksRun++;
    context.runTask(task);
  }

  private void decideToWait() {
    if (hasWorkBeforeWaiting()) {
      if (context.isStopRequested()) {
        boolean hasTasks = !queue.isEmpty() || context.watches().hasReady();
        stopped = !hasTasks || ++stoppingTurns > MAX_STOPPING_TURNS;
      }
      pollTimeoutNanos = 0;
      phase = Phase.POLL;
      return;
    }
    if (busyPolling.maxNanos() > 0 && !idle) {
      idle = true;
      idleSinceNanos = nowNanos();
    }
    phase = idle && spinNanos > 0 ? Phase.SPIN : Phase.ANNOUNCE;
  }

  private boolean hasWorkBeforeWaiting() {
    return !queue.isEmpty() || context.watches().hasReady() || context.isStopRequested();
  }

  private void spin() {
    poller.poll(0);
    spins++;
    if (hasWorkBeforeWaiting() || context.timers().timeoutNanos() == 0) {
      endIdle();
      turns++;
      phase = Phase.COLLECT;
    } else if (nowNanos() - idleSinceNanos >= spinNanos) {
      phase = Phase.ANNOUNCE;
    } else {
      Thread.onSpinWait();
    }
  }

  private void poll() {
    poller.poll(pollTimeoutNanos);
    if (waiting) {
      waiting = false;
    }
    gate.awake();
    turns++;
    if (idle && hasWorkBeforeWaiting()) {
      endIdle();
    }
    phase = Phase.COLLECT;
  }

  private void endIdle() {
    idle = false;
    spinNanos = busyPolling.next(spinNanos, nowNanos() - idleSinceNanos);
  }

  private long nowNanos() {
    return context.clocks().nanos(ClockType.REALTIME);
  }

  /** The same tasks; bottom halves in the order the hooks want, coroutines first in first out. */
  private @Nullable Task arranged(Task oldest) {
    List<BottomHalf> bottomHalves = new ArrayList<>();
    List<Task> all = new ArrayList<>();
    for (Task task = oldest; task != null; task = task.next) {
      all.add(task);
      if (task instanceof BottomHalf bottomHalf) {
        bottomHalves.add(bottomHalf);
      }
    }
    context.hooks().arrange(bottomHalves);
    int nextBottomHalf = bottomHalves.size();
    Task head = null;
    for (Task task : all.reversed()) {
      Task placed = task instanceof BottomHalf ? bottomHalves.get(--nextBottomHalf) : task;
      placed.next = head;
      head = placed;
    }
    return head;
  }

  /** Changes busy polling of a running loop; takes effect from its next wait on. */
  @AnyThread
  public void setBusyPolling(BusyPolling busyPolling) {
    this.busyPolling = busyPolling;
    context.scheduleOnce("poll parameters", () -> spinNanos = 0);
  }

  /** Where the loop stands. */
  @HomeThread
  public Phase phase() {
    return phase;
  }

  /** How long the poll that comes next may wait; meaningful in {@link Phase#POLL}. */
  @HomeThread
  public long pollTimeoutNanos() {
    return pollTimeoutNanos;
  }

  /** How often the loop has polled. Approximate outside of the home thread. */
  @AnyThread
  public long turns() {
    return turns;
  }

  /** Bottom halves and resumptions run. Approximate outside of the home thread. */
  @AnyThread
  public long tasksRun() {
    return tasksRun;
  }

  /** Whether the loop waits for the outside, or is about to. */
  @AnyThread
  public boolean isWaiting() {
    return waiting;
  }

  /** Whether tasks wait in the queue, not counting those of the turn that is under way. */
  @AnyThread
  public boolean hasQueuedTasks() {
    return !queue.isEmpty();
  }

  boolean hasTasks() {
    return batch != null;
  }

  boolean isStopped() {
    return stopped;
  }

  void clearStop() {
    stopped = false;
    stoppingTurns = 0;
  }

  /** Changes whenever the loop gets on. Any thread. */
  long progress() {
    return turns + spins + tasksRun;
  }
}

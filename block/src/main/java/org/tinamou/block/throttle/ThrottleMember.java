package org.tinamou.block.throttle;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.BottomHalf;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;

/**
 * One user of a {@link ThrottleGroup}: a node or backend. Requests may come from any loop; the
 * member's timers live in the loop it is attached to.
 *
 * <p>While its limits are disabled, as in a drained section, everything goes at once; it is still
 * counted. Disabling first and moving then is how a member changes loops.
 */
public final class ThrottleMember {
  /** What the member has in its loop for one direction. */
  private final class Alarm {
    final AioContext context;
    final Direction direction;
    final AioTimer timer;
    final BottomHalf arm;

    Alarm(AioContext context, Direction direction) {
      this.context = context;
      this.direction = direction;
      String what = "throttle " + direction + " of " + name;
      timer = context.timer(ClockType.VIRTUAL, what, () -> fired(direction));
      arm = context.bottomHalf(what, this::armIfDue);
    }

    void request() {
      if (context.isHome()) {
        armIfDue();
      } else {
        arm.schedule();
      }
    }

    void armIfDue() {
      long deadline;
      group.lock.lock();
      try {
        deadline = group.deadlineNanos(ThrottleMember.this, direction);
      } finally {
        group.lock.unlock();
      }
      // A request that came too late for the old loop must leave the new one's timer alone.
      if (deadline >= 0 && alarm(direction) == this) {
        timer.armAt(deadline);
      }
    }

    void stop() {
      arm.cancel();
      timer.cancel();
    }
  }

  private final ThrottleGroup group;
  private final String name;
  private final String waitReason;

  // Guarded by the group's lock.
  private final List<Deque<Waiter>> waiters = List.of(new ArrayDeque<>(0), new ArrayDeque<>(0));
  private int disabled;

  /** Replaced as a whole when the member changes loops; null while it belongs to none. */
  private volatile Alarm @Nullable [] alarms;

  ThrottleMember(ThrottleGroup group, String name, AioContext context) {
    this.group = group;
    this.name = name;
    this.waitReason = group + " for " + name;
    enter(context);
  }

  @AnyThread
  public ThrottleGroup group() {
    return group;
  }

  /**
   * Waits until a request may go, and counts it.
   *
   * @param sizeBytes what the request transfers
   * @param isWrite whether it counts as a write, as discards and zeroes do
   * @return false if the request was cancelled while it waited: through {@link
   *     Coroutine#requestCancel} or {@link #cancelWaiting}; it is not counted then
   */
  @InCoroutine
  public boolean intercept(long sizeBytes, boolean isWrite) {
    Direction direction = isWrite ? Direction.WRITE : Direction.READ;
    Coroutine self = Coroutine.current();
    Waiter waiter;
    Actions actions;
    group.lock.lock();
    try {
      if (group.tryGo(this, direction, sizeBytes)) {
        return true;
      }
      waiter = new Waiter(self, sizeBytes);
      actions = new Actions();
      waiters(direction).add(waiter);
      group.waiterCame(direction, actions);
    } finally {
      group.lock.unlock();
    }
    actions.run();
    while (waiter.isWaiting()) {
      if (waiter.isCancelRequested() && withdraw(waiter, direction)) {
        return false;
      }
      Coroutine.suspend(waitReason);
    }
    return waiter.isGranted();
  }

  private boolean withdraw(Waiter waiter, Direction direction) {
    Actions actions = new Actions();
    boolean found;
    group.lock.lock();
    try {
      found = waiters(direction).remove(waiter);
      if (found) {
        group.waiterLeft(this, direction, actions);
      }
    } finally {
      group.lock.unlock();
    }
    actions.run();
    return found;
  }

  /** Lets everything go that waits, and everything that comes, until enabled again. Nests. */
  @AnyThread
  public void disableLimits() {
    Actions actions = new Actions();
    group.lock.lock();
    try {
      disabled++;
      for (Direction direction : Direction.values()) {
        group.release(this, direction, actions);
      }
    } finally {
      group.lock.unlock();
    }
    actions.run();
  }

  /** Takes one {@link #disableLimits} back. */
  @AnyThread
  public void enableLimits() {
    group.lock.lock();
    try {
      Check.state(disabled > 0, "the limits of %s are not disabled", this);
      disabled--;
    } finally {
      group.lock.unlock();
    }
  }

  /** Ends everything that waits, uncounted; {@link #intercept} returns false there. */
  @AnyThread
  public void cancelWaiting() {
    Actions actions = new Actions();
    List<Waiter> cancelled = new ArrayList<>();
    group.lock.lock();
    try {
      for (Direction direction : Direction.values()) {
        cancelled.addAll(waiters(direction));
        waiters(direction).clear();
        group.waiterLeft(this, direction, actions);
      }
    } finally {
      group.lock.unlock();
    }
    cancelled.forEach(Waiter::cancel);
    actions.run();
  }

  /** How many requests of a direction wait. */
  @AnyThread
  public int waiting(boolean isWrite) {
    group.lock.lock();
    try {
      return waiters(isWrite ? Direction.WRITE : Direction.READ).size();
    } finally {
      group.lock.unlock();
    }
  }

  // ------------------------------------------------------------------------------ loops and timers

  /**
   * Takes the timers out of the loop. Requests that wait go on waiting, and so may others of the
   * group behind them, until the member is attached again.
   */
  @HomeThread
  public void detachFromContext() {
    Alarm[] old = alarms;
    Check.state(old != null, "%s is not attached", this);
    alarms = null;
    for (Alarm alarm : java.util.Objects.requireNonNull(old)) {
      alarm.stop();
    }
  }

  /** Puts the timers into a loop, armed where that is due. */
  @HomeThread
  public void attachToContext(AioContext newContext) {
    Check.state(alarms == null, "%s is attached", this);
    enter(newContext);
    for (Direction direction : Direction.values()) {
      requestTimer(direction);
    }
  }

  private void enter(AioContext newContext) {
    Alarm[] created = new Alarm[Direction.values().length];
    for (Direction direction : Direction.values()) {
      created[direction.ordinal()] = new Alarm(newContext, direction);
    }
    alarms = created;
  }

  /** Leaves the group. Nothing waits, and nothing comes any more. In the member's loop. */
  @HomeThread
  public void leave() {
    group.leave(this);
    if (alarms != null) {
      detachFromContext();
    }
  }

  private @Nullable Alarm alarm(Direction direction) {
    Alarm[] current = alarms;
    return current == null ? null : current[direction.ordinal()];
  }

  /** Has the timer armed, here or by the member's loop. Without the lock. */
  @AnyThread
  void requestTimer(Direction direction) {
    Alarm alarm = alarm(direction);
    // While there is none, attaching looks after it.
    if (alarm != null) {
      alarm.request();
    }
  }

  private void fired(Direction direction) {
    Actions actions = new Actions();
    group.lock.lock();
    try {
      long deadline = group.deadlineNanos(this, direction);
      if (deadline < 0) {
        return; // armed for a turn that was taken away meanwhile
      }
      if (deadline > group.nowNanos()) {
        actions.arm(this, direction);
      } else {
        group.deadlineReached(this, direction, actions);
      }
    } finally {
      group.lock.unlock();
    }
    actions.run();
  }

  // ------------------------------------------------------------------------------ under the lock

  private Deque<Waiter> waiters(Direction direction) {
    return waiters.get(direction.ordinal());
  }

  boolean hasWaiters(Direction direction) {
    return !waiters(direction).isEmpty();
  }

  @Nullable Waiter pollWaiter(Direction direction) {
    return waiters(direction).poll();
  }

  boolean isExempt() {
    return disabled > 0;
  }

  @Override
  public String toString() {
    return "throttled " + name;
  }
}

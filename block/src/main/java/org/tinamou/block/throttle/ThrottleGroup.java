package org.tinamou.block.throttle;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;

/**
 * Members, on any loops, that share limits. Where requests of several members wait, they go in
 * turn, one of each member; requests of one member and direction go in the order in which they
 * came. Time is that of the VIRTUAL clock, so nothing goes while that stands still.
 *
 * <p>In each direction at most one member has a timer armed: the one whose turn it is. Its lock is
 * held for short steps only, never across a park or a call into a loop.
 */
public final class ThrottleGroup {
  /** Who waits in one direction. */
  private static final class Turn {
    /** Whose turn it was last. */
    @Nullable ThrottleMember last;

    /** Whose turn it is, at {@link #deadlineNanos}; null if nobody waits. */
    @Nullable ThrottleMember next;

    long deadlineNanos;
  }

  private final String name;
  private final Clocks clocks;
  final ReentrantLock lock = new ReentrantLock();
  private final ThrottleState state;
  private final List<ThrottleMember> members = new ArrayList<>();
  private final Turn[] turns = {new Turn(), new Turn()};

  /**
   * A group without members.
   *
   * @param clocks those of its members' loops
   * @param config limits that make sense
   */
  public ThrottleGroup(String name, Clocks clocks, ThrottleConfig config) {
    this.name = name;
    this.clocks = clocks;
    this.state = new ThrottleState(config, clocks.nanos(ClockType.VIRTUAL));
  }

  @AnyThread
  public String name() {
    return name;
  }

  @AnyThread
  public ThrottleConfig config() {
    lock.lock();
    try {
      return state.config();
    } finally {
      lock.unlock();
    }
  }

  /** Sets other limits: the buckets start empty, and whoever waits goes as the new limits allow. */
  @AnyThread
  public void configure(ThrottleConfig config) {
    Actions actions = new Actions();
    lock.lock();
    try {
      state.configure(config, nowNanos());
      for (Direction direction : Direction.values()) {
        turn(direction).next = null;
        dispatch(direction, actions);
      }
    } finally {
      lock.unlock();
    }
    actions.run();
  }

  /**
   * Adds a member.
   *
   * @param memberName for dumps
   * @param context where its timers live
   */
  @AnyThread
  public ThrottleMember join(String memberName, AioContext context) {
    ThrottleMember member = new ThrottleMember(this, memberName, context);
    lock.lock();
    try {
      members.add(member);
    } finally {
      lock.unlock();
    }
    return member;
  }

  /** Whether anybody keeps to its limits. */
  @AnyThread
  public boolean hasMembers() {
    lock.lock();
    try {
      return !members.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  void leave(ThrottleMember member) {
    lock.lock();
    try {
      for (Direction direction : Direction.values()) {
        Check.state(!member.hasWaiters(direction), "%s leaves with requests waiting", member);
        Turn turn = turn(direction);
        if (turn.last == member) {
          turn.last = before(member);
        }
      }
      Check.state(members.remove(member), "%s is not in %s", member, this);
    } finally {
      lock.unlock();
    }
  }

  private @Nullable ThrottleMember before(ThrottleMember member) {
    int index = members.indexOf(member);
    return members.size() == 1 ? null : members.get((index == 0 ? members.size() : index) - 1);
  }

  long nowNanos() {
    return clocks.nanos(ClockType.VIRTUAL);
  }

  private Turn turn(Direction direction) {
    return turns[direction.ordinal()];
  }

  // --------------------------------------------------------------------------- with the lock held

  /** Lets a request go at once if it may; false if it has to wait. */
  boolean tryGo(ThrottleMember member, Direction direction, long sizeBytes) {
    long now = nowNanos();
    if (!member.isExempt()) {
      Turn turn = turn(direction);
      if (turn.next != null || state.waitNanos(direction, now) > 0) {
        return false;
      }
      turn.last = member;
    }
    state.account(direction, sizeBytes, now);
    return true;
  }

  /** Somebody waits who did not: sees to it that it is somebody's turn. */
  void waiterCame(Direction direction, Actions actions) {
    if (turn(direction).next == null) {
      dispatch(direction, actions);
    }
  }

  /** Somebody waits no more without having gone. */
  void waiterLeft(ThrottleMember member, Direction direction, Actions actions) {
    Turn turn = turn(direction);
    if (turn.next == member && !member.hasWaiters(direction)) {
      turn.next = null;
      dispatch(direction, actions);
    }
  }

  /** Lets everything go that waits for the member. */
  void release(ThrottleMember member, Direction direction, Actions actions) {
    for (Waiter waiter = member.pollWaiter(direction);
        waiter != null;
        waiter = member.pollWaiter(direction)) {
      go(direction, waiter, actions);
    }
    waiterLeft(member, direction, actions);
  }

  /**
   * When a member's timer has to fire.
   *
   * @return the time, or -1 if it is not this member's turn
   */
  long deadlineNanos(ThrottleMember member, Direction direction) {
    Turn turn = turn(direction);
    return turn.next == member ? turn.deadlineNanos : -1;
  }

  /** A member's timer has fired at or after its deadline: its first request goes. */
  void deadlineReached(ThrottleMember member, Direction direction, Actions actions) {
    Turn turn = turn(direction);
    turn.next = null;
    // It was promised to go now, whatever the other direction has done meanwhile.
    Waiter first = member.pollWaiter(direction);
    if (first != null) {
      turn.last = member;
      go(direction, first, actions);
    }
    dispatch(direction, actions);
  }

  private void go(Direction direction, Waiter waiter, Actions actions) {
    state.account(direction, waiter.sizeBytes(), nowNanos());
    actions.wake(waiter);
  }

  /** Lets go who may, in turn, and gives the turn to the next one who has to wait. */
  private void dispatch(Direction direction, Actions actions) {
    Turn turn = turn(direction);
    for (ThrottleMember member = following(turn.last, direction);
        member != null;
        member = following(member, direction)) {
      long now = nowNanos();
      long wait = state.waitNanos(direction, now);
      if (wait > 0) {
        turn.next = member;
        turn.deadlineNanos = now + wait;
        actions.arm(member, direction);
        return;
      }
      turn.last = member;
      go(direction, java.util.Objects.requireNonNull(member.pollWaiter(direction)), actions);
    }
  }

  /** The first member after another, in the order of joining, that has requests waiting. */
  private @Nullable ThrottleMember following(@Nullable ThrottleMember last, Direction direction) {
    int start = last == null ? 0 : members.indexOf(last) + 1;
    for (int i = 0; i < members.size(); i++) {
      ThrottleMember member = members.get((start + i) % members.size());
      if (member.hasWaiters(direction)) {
        return member;
      }
    }
    return null;
  }

  @Override
  public String toString() {
    return "throttle group " + name;
  }
}

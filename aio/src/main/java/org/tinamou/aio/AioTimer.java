package org.tinamou.aio;

import org.tinamou.base.ClockType;

/**
 * A callback at a point in time of one clock. Reusable; belongs to the home thread of its loop,
 * where the callback runs, never earlier than the deadline, and must not block.
 */
public final class AioTimer {
  final Runnable callback;
  long deadlineNanos;
  long order;

  /** Position in the loop's heap; -1 while not armed. */
  int heapIndex = -1;

  private final AioContext context;
  private final ClockType clock;
  private final String name;

  AioTimer(AioContext context, ClockType clock, String name, Runnable callback) {
    this.context = context;
    this.clock = clock;
    this.name = name;
    this.callback = callback;
  }

  public String name() {
    return name;
  }

  public ClockType clock() {
    return clock;
  }

  /** Fires once when the clock has reached {@code deadlineNanos}; replaces an earlier deadline. */
  @HomeThread
  public void armAt(long deadlineNanos) {
    context.timers().arm(this, deadlineNanos);
  }

  /** Fires once, {@code delayNanos} from now; never if that is beyond the clock's range. */
  @HomeThread
  public void armIn(long delayNanos) {
    long now = context.clocks().nanos(clock);
    long deadline = now + delayNanos;
    armAt(delayNanos > 0 && deadline < now ? Long.MAX_VALUE : deadline);
  }

  /** Does not fire any more. Without effect when not armed. */
  @HomeThread
  public void cancel() {
    context.timers().cancel(this);
  }

  @HomeThread
  public boolean isArmed() {
    return heapIndex >= 0;
  }

  @Override
  public String toString() {
    return "timer " + name + " (" + clock + ")";
  }
}

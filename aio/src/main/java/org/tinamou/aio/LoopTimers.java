package org.tinamou.aio;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;

/** The armed timers of one loop; belongs to its home thread. */
final class LoopTimers {
  private final AioContext context;
  private final Clocks clocks;
  private final TimerQueue[] queues = new TimerQueue[ClockType.values().length];
  private long sequence;
  private int count;

  LoopTimers(AioContext context) {
    this.context = context;
    this.clocks = context.clocks();
    Arrays.setAll(queues, i -> new TimerQueue());
  }

  void arm(AioTimer timer, long deadlineNanos) {
    cancel(timer);
    timer.deadlineNanos = deadlineNanos;
    timer.order = context.hooks().timerOrder(sequence++);
    queues[timer.clock().ordinal()].add(timer);
    count++;
  }

  void cancel(AioTimer timer) {
    context.checkHome();
    if (timer.isArmed()) {
      queues[timer.clock().ordinal()].remove(timer);
      count--;
    }
  }

  int count() {
    return count;
  }

  /** A line for each armed timer; exact on the home thread only. */
  List<String> dump() {
    List<String> lines = new ArrayList<>();
    for (TimerQueue queue : queues) {
      queue.armed().forEach(timer -> lines.add(timer.toString()));
    }
    return lines;
  }

  /** Runs the callback of one due timer; false if none is due. */
  boolean fireOne() {
    if (count == 0) {
      return false;
    }
    for (TimerQueue queue : queues) {
      AioTimer first = queue.first();
      if (first != null
          && clocks.isRunning(first.clock())
          && clocks.nanos(first.clock()) >= first.deadlineNanos) {
        queue.remove(first);
        count--;
        context.guarded(first, first.callback);
        return true;
      }
    }
    return false;
  }

  /** Nanoseconds until the first timer that can fire; {@link Poller#FOREVER} without one. */
  long timeoutNanos() {
    long timeout = Poller.FOREVER;
    if (count == 0) {
      return timeout;
    }
    for (TimerQueue queue : queues) {
      AioTimer first = queue.first();
      if (first != null && clocks.isRunning(first.clock())) {
        timeout = Math.min(timeout, remaining(first.deadlineNanos, clocks.nanos(first.clock())));
      }
    }
    return timeout;
  }

  private static long remaining(long deadlineNanos, long nowNanos) {
    if (deadlineNanos <= nowNanos) {
      return 0;
    }
    long difference = deadlineNanos - nowNanos;
    return difference < 0 ? Poller.FOREVER : difference;
  }
}

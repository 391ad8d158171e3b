package org.tinamou.aio;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;

/** The armed timers of one loop; belongs to its home thread. */
final class LoopTimers {
  private final AioContext context;
  private final Clocks clocks;
  private final Map<ClockType, TimerQueue> queues = new EnumMap<>(ClockType.class);
  private long sequence;
  private int count;

  LoopTimers(AioContext context) {
    this.context = context;
    this.clocks = context.clocks();
  }

  void arm(AioTimer timer, long deadlineNanos) {
    cancel(timer);
    timer.deadlineNanos = deadlineNanos;
    timer.order = context.hooks().timerOrder(sequence++);
    queues.computeIfAbsent(timer.clock(), clock -> new TimerQueue()).add(timer);
    count++;
  }

  void cancel(AioTimer timer) {
    context.checkHome();
    TimerQueue queue = queues.get(timer.clock());
    if (queue != null && timer.isArmed()) {
      queue.remove(timer);
      count--;
    }
  }

  int count() {
    return count;
  }

  List<AioTimer> armed() {
    List<AioTimer> all = new ArrayList<>();
    queues.values().forEach(queue -> all.addAll(queue.armed()));
    return all;
  }

  /** Runs the callback of one due timer; false if none is due. */
  boolean fireOne() {
    if (count == 0) {
      return false;
    }
    for (TimerQueue queue : queues.values()) {
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
    for (TimerQueue queue : queues.values()) {
      AioTimer first = queue.first();
      if (first != null && clocks.isRunning(first.clock())) {
        timeout = Math.min(timeout, Math.max(0, first.deadlineNanos - clocks.nanos(first.clock())));
      }
    }
    return timeout;
  }
}

package org.tinamou.base;

/**
 * A source of time. Handed to a loop when it is built: the host's in production, a simulated one in
 * tests. All methods may be called from any thread.
 */
public interface Clocks {
  /** The clock's time in nanoseconds; only differences mean anything for REALTIME and VIRTUAL. */
  long nanos(ClockType clock);

  /** Whether the clock is running; only {@link ClockType#VIRTUAL} can be stopped. */
  boolean isRunning(ClockType clock);

  /** Calls back, from any thread, whenever VIRTUAL is stopped or started or HOST is set. */
  void onChange(Runnable listener);

  /** Withdraws a listener given to {@link #onChange}. */
  void removeListener(Runnable listener);
}

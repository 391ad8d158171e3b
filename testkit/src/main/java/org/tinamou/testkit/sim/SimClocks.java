package org.tinamou.testkit.sim;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;

/** Time that moves only when the simulation says so. */
public final class SimClocks implements Clocks {
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private long nowNanos = 1_000_000_000L;
  private long virtualNanos;
  private boolean virtualRunning = true;
  private long hostJumps;
  private long hostOffsetNanos = 1_700_000_000_000_000_000L;

  /** How often {@link #jumpHost} was called. */
  public long hostJumps() {
    return hostJumps;
  }

  @Override
  public long nanos(ClockType clock) {
    return switch (clock) {
      case REALTIME -> nowNanos;
      case VIRTUAL -> virtualNanos;
      case HOST -> nowNanos + hostOffsetNanos;
    };
  }

  @Override
  public boolean isRunning(ClockType clock) {
    return clock != ClockType.VIRTUAL || virtualRunning;
  }

  public long nowNanos() {
    return nowNanos;
  }

  void advance(long nanos) {
    Check.argument(nanos >= 0, "time does not go back: %s", nanos);
    nowNanos += nanos;
    if (virtualRunning) {
      virtualNanos += nanos;
    }
  }

  /** Stops or starts VIRTUAL. */
  public void setVirtualRunning(boolean running) {
    if (virtualRunning != running) {
      virtualRunning = running;
      listeners.forEach(Runnable::run);
    }
  }

  /** Sets the wall clock, forward or back. */
  public void jumpHost(long nanos) {
    hostJumps++;
    hostOffsetNanos += nanos;
    listeners.forEach(Runnable::run);
  }

  /** Forgets who listens: their machine has lost its power. */
  void forgetListeners() {
    listeners.clear();
  }

  @Override
  public void onChange(Runnable listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(Runnable listener) {
    listeners.remove(listener);
  }
}

package org.tinamou.aio;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;

/** Time that moves only when a test says so. Any thread. */
final class ManualClocks implements Clocks {
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile long realtimeNanos = 1_000;
  private volatile long virtualNanos = 500;
  private volatile long hostNanos = 1_000_000;
  private volatile boolean virtualRunning = true;

  @Override
  public long nanos(ClockType clock) {
    return switch (clock) {
      case REALTIME -> realtimeNanos;
      case VIRTUAL -> virtualNanos;
      case HOST -> hostNanos;
    };
  }

  @Override
  public boolean isRunning(ClockType clock) {
    return clock != ClockType.VIRTUAL || virtualRunning;
  }

  /** Lets time pass, and loops that wait for it look again. */
  synchronized void advance(long nanos) {
    realtimeNanos += nanos;
    hostNanos += nanos;
    if (virtualRunning) {
      virtualNanos += nanos;
    }
    changed();
  }

  synchronized void setVirtualRunning(boolean running) {
    virtualRunning = running;
    changed();
  }

  synchronized void jumpHost(long nanos) {
    hostNanos += nanos;
    changed();
  }

  private void changed() {
    listeners.forEach(Runnable::run);
  }

  @Override
  public void onChange(Runnable listener) {
    listeners.add(listener);
  }

  @Override
  public void removeListener(Runnable listener) {
    listeners.remove(listener);
  }

  int listeners() {
    return listeners.size();
  }
}

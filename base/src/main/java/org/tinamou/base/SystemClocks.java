package org.tinamou.base;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;

/** The host's clocks, with a VIRTUAL clock that can be stopped and started from any thread. */
public final class SystemClocks implements Clocks {
  private record VirtualState(boolean running, long offsetNanos, long stoppedAtNanos) {}

  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final ReentrantLock changeLock = new ReentrantLock();
  private volatile VirtualState virtual = new VirtualState(true, 0, 0);

  @Override
  public long nanos(ClockType clock) {
    return switch (clock) {
      case REALTIME -> System.nanoTime();
      case HOST -> {
        Instant now = Instant.now();
        yield Math.addExact(
            Math.multiplyExact(now.getEpochSecond(), 1_000_000_000L), now.getNano());
      }
      case VIRTUAL -> {
        VirtualState state = virtual;
        yield state.running ? System.nanoTime() - state.offsetNanos : state.stoppedAtNanos;
      }
    };
  }

  @Override
  public boolean isRunning(ClockType clock) {
    return clock != ClockType.VIRTUAL || virtual.running;
  }

  /** Stops VIRTUAL; its timers do not fire until {@link #startVirtual()}. */
  public void stopVirtual() {
    changeLock.lock();
    try {
      if (!virtual.running) {
        return;
      }
      virtual = new VirtualState(false, virtual.offsetNanos, nanos(ClockType.VIRTUAL));
    } finally {
      changeLock.unlock();
    }
    listeners.forEach(Runnable::run);
  }

  /** Lets VIRTUAL go on from where it was stopped. */
  public void startVirtual() {
    changeLock.lock();
    try {
      if (virtual.running) {
        return;
      }
      virtual = new VirtualState(true, System.nanoTime() - virtual.stoppedAtNanos, 0);
    } finally {
      changeLock.unlock();
    }
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
}

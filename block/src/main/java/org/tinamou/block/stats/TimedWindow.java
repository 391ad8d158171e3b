package org.tinamou.block.stats;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The least, largest and average of the values of about the last interval, and their sum over time:
 * two windows of four thirds of the interval that begin half a window apart. The older one is
 * looked at, so what is reported covers between two and four thirds of the interval. Any thread.
 */
final class TimedWindow {
  /**
   * What a window holds; all 0 if nothing happened.
   *
   * @param perNano the sum of the values, divided by the nanoseconds in which they came
   */
  record Summary(long least, long largest, long average, double perNano) {}

  private static final class Window {
    long endNanos;
    long least;
    long largest;
    long sum;
    long count;

    void add(long value) {
      least = count == 0 ? value : Math.min(least, value);
      largest = count == 0 ? value : Math.max(largest, value);
      sum += value;
      count++;
    }

    void restart(long newEndNanos) {
      endNanos = newEndNanos;
      least = 0;
      largest = 0;
      sum = 0;
      count = 0;
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final long lengthNanos;
  private final Window[] windows = {new Window(), new Window()};

  TimedWindow(long intervalNanos, long nowNanos) {
    lengthNanos = intervalNanos / 3 * 4;
    windows[0].restart(nowNanos + lengthNanos / 2);
    windows[1].restart(nowNanos + lengthNanos);
  }

  void add(long value, long nowNanos) {
    lock.lock();
    try {
      turnOver(nowNanos);
      windows[0].add(value);
      windows[1].add(value);
    } finally {
      lock.unlock();
    }
  }

  Summary summary(long nowNanos) {
    lock.lock();
    try {
      turnOver(nowNanos);
      Window older = windows[0].endNanos < windows[1].endNanos ? windows[0] : windows[1];
      long elapsed = lengthNanos - (older.endNanos - nowNanos);
      return new Summary(
          older.least,
          older.largest,
          older.count == 0 ? 0 : older.sum / older.count,
          elapsed <= 0 ? 0 : (double) older.sum / elapsed);
    } finally {
      lock.unlock();
    }
  }

  private void turnOver(long nowNanos) {
    for (Window window : windows) {
      long over = nowNanos - window.endNanos;
      if (over >= 0) {
        window.restart(window.endNanos + (over / lengthNanos + 1) * lengthNanos);
      }
    }
  }
}

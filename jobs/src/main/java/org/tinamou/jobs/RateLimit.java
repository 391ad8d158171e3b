package org.tinamou.jobs;

import java.util.concurrent.locks.ReentrantLock;
import org.tinamou.aio.AnyThread;

/**
 * Says when more work may begin: what has begun takes its time at the given speed, however fast it
 * was done. A tenth of a second's work may be begun in advance.
 */
public final class RateLimit {
  private static final long ADVANCE_NANOS = 100_000_000;
  private static final double NANOS_PER_SECOND = 1e9;
  private static final double MAX_WAIT_NANOS = 1e18;

  private final ReentrantLock lock = new ReentrantLock();
  private long speed;
  private double freeAtNanos;

  /**
   * Another speed, from now on; what was begun before is forgotten.
   *
   * @param amountPerSecond 0 for no limit
   */
  @AnyThread
  public void setSpeed(long amountPerSecond) {
    lock.lock();
    try {
      speed = amountPerSecond;
      freeAtNanos = 0;
    } finally {
      lock.unlock();
    }
  }

  @AnyThread
  public long speed() {
    lock.lock();
    try {
      return speed;
    } finally {
      lock.unlock();
    }
  }

  /** So much work begins now. */
  @AnyThread
  public void account(long amount, long nowNanos) {
    lock.lock();
    try {
      if (speed > 0) {
        freeAtNanos = Math.max(freeAtNanos, (double) nowNanos) + amount * NANOS_PER_SECOND / speed;
      }
    } finally {
      lock.unlock();
    }
  }

  /** How long to wait before more may begin; 0 for not at all. */
  @AnyThread
  public long delayNanos(long nowNanos) {
    lock.lock();
    try {
      double wait = speed == 0 ? 0 : freeAtNanos - nowNanos - ADVANCE_NANOS;
      return wait <= 0 ? 0 : (long) Math.min(wait + 1, MAX_WAIT_NANOS);
    } finally {
      lock.unlock();
    }
  }
}

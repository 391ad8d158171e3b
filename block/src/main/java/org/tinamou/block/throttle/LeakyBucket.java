package org.tinamou.block.throttle;

/**
 * A leaky bucket as a meter: what was done is poured in and leaks out at the average rate; while
 * the bucket is over its size, nothing more may be done. Not thread-safe.
 *
 * <p>With bursts longer than a second, a second, small bucket that leaks at the burst rate keeps
 * the burst itself to that rate.
 */
final class LeakyBucket {
  private static final double NANOS_PER_SECOND = 1e9;

  /** Long enough to be for ever, short enough to add to any time. */
  private static final long FOREVER_NANOS = 1L << 61;

  private ThrottleLimit limit = ThrottleLimit.NONE;
  private double level;
  private double burstLevel;

  /** Sets the limit and empties the bucket. */
  void configure(ThrottleLimit newLimit) {
    limit = newLimit;
    level = 0;
    burstLevel = 0;
  }

  private boolean hasLongBursts() {
    return limit.burst() != 0 && limit.burstSeconds() > 1;
  }

  /** Time has passed. */
  void leak(long elapsedNanos) {
    double seconds = elapsedNanos / NANOS_PER_SECOND;
    level = Math.max(level - limit.average() * seconds, 0);
    if (hasLongBursts()) {
      burstLevel = Math.max(burstLevel - limit.burst() * seconds, 0);
    }
  }

  /** Something was done. */
  void pour(double units) {
    level += units;
    if (hasLongBursts()) {
      burstLevel += units;
    }
  }

  /** How long nothing may be done; 0 if something may be done now, however much. */
  long waitNanos() {
    if (limit.average() == 0) {
      return 0;
    }
    double size =
        limit.burst() == 0 ? limit.average() / 10.0 : (double) limit.burst() * limit.burstSeconds();
    long wait = nanos(level - size, limit.average());
    if (hasLongBursts()) {
      wait = Math.max(wait, nanos(burstLevel - limit.burst() / 10.0, limit.burst()));
    }
    return wait;
  }

  private static long nanos(double excess, long rate) {
    double wait = excess / rate * NANOS_PER_SECOND;
    // Less than half a nanosecond is a rounding error.
    return wait < 0.5 ? 0 : (long) Math.min(FOREVER_NANOS, Math.ceil(wait));
  }
}

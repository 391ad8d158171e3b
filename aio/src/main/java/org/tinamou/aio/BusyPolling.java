package org.tinamou.aio;

import org.tinamou.base.Check;

/**
 * How long a loop looks for work before it waits for it: trading processor time for latency.
 *
 * @param maxNanos the longest look; 0 switches busy polling off
 * @param growFactor what the time is multiplied with when a wait turned out short; 0 means 2
 * @param shrinkDivisor what it is divided by when a wait turned out long; 0 ends busy polling
 */
public record BusyPolling(long maxNanos, long growFactor, long shrinkDivisor) {
  /** No busy polling. */
  public static final BusyPolling OFF = new BusyPolling(0, 0, 0);

  private static final long FIRST_NANOS = 4_000;

  public BusyPolling {
    Check.argument(maxNanos >= 0, "poll-max-ns must not be negative: %s", maxNanos);
    Check.argument(growFactor >= 0, "poll-grow must not be negative: %s", growFactor);
    Check.argument(shrinkDivisor >= 0, "poll-shrink must not be negative: %s", shrinkDivisor);
  }

  /**
   * The time to look next, after one round.
   *
   * @param currentNanos the time looked in this round
   * @param blockedNanos the whole time until work came, looking and waiting
   */
  long next(long currentNanos, long blockedNanos) {
    if (blockedNanos <= currentNanos) {
      return currentNanos;
    }
    if (blockedNanos > maxNanos) {
      return shrinkDivisor == 0 ? 0 : currentNanos / shrinkDivisor;
    }
    if (currentNanos >= maxNanos) {
      return maxNanos;
    }
    long grown =
        currentNanos == 0 ? FIRST_NANOS : currentNanos * (growFactor == 0 ? 2 : growFactor);
    return Math.min(grown, maxNanos);
  }
}

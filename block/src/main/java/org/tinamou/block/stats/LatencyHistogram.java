package org.tinamou.block.stats;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts latencies in bins: below the first boundary, from each boundary up to the next, and from
 * the last one on. Any thread.
 */
public final class LatencyHistogram {
  private final long[] boundariesNanos;
  private final AtomicLongArray bins;

  /**
   * All bins at 0.
   *
   * @param boundariesNanos unsigned; {@link #isValid}
   */
  LatencyHistogram(long[] boundariesNanos) {
    this.boundariesNanos = boundariesNanos.clone();
    this.bins = new AtomicLongArray(boundariesNanos.length + 1);
  }

  /** Whether the boundaries are above 0 and ascend, as unsigned numbers; there may be none. */
  static boolean isValid(long[] boundariesNanos) {
    long before = 0;
    for (long boundary : boundariesNanos) {
      if (Long.compareUnsigned(boundary, before) <= 0) {
        return false;
      }
      before = boundary;
    }
    return true;
  }

  void add(long latencyNanos) {
    int low = 0;
    int high = boundariesNanos.length;
    // The number of boundaries that are not above the latency.
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(boundariesNanos[middle], latencyNanos) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    bins.incrementAndGet(low);
  }

  /** The boundaries, as unsigned numbers of nanoseconds. */
  public long[] boundariesNanos() {
    return boundariesNanos.clone();
  }

  /** One count more than there are boundaries. */
  public long[] bins() {
    long[] copy = new long[bins.length()];
    Arrays.setAll(copy, bins::get);
    return copy;
  }
}

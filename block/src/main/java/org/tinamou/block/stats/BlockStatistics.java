package org.tinamou.block.stats;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.Json;

/**
 * What a backend's requests amount to. A request asks {@link #start()} for the time and hands it
 * back when it is {@link #done} or has {@link #failed}; nothing is allocated for it.
 *
 * <p>Any thread, all at once. Counters are read one after another while requests go on, so those of
 * one report need not belong to the same moment.
 */
public final class BlockStatistics {
  private static final long MAX_INTERVAL_SECONDS = 0xffff_ffffL;
  private static final long NEVER = Long.MIN_VALUE;

  /** The counters of one kind. */
  private static final class Counters {
    final LongAdder bytes = new LongAdder();
    final LongAdder operations = new LongAdder();
    final LongAdder failed = new LongAdder();
    final LongAdder invalid = new LongAdder();
    final LongAdder merged = new LongAdder();
    final LongAdder totalNanos = new LongAdder();
  }

  private final Clocks clocks;
  private final boolean accountInvalid;
  private final boolean accountFailed;
  private final Counters[] counters = new Counters[IoKind.values().length];
  private final AtomicReferenceArray<@Nullable LatencyHistogram> histograms =
      new AtomicReferenceArray<>(IoKind.values().length);

  /** Replaced as a whole. */
  private final AtomicReference<IntervalStatistics[]> intervals =
      new AtomicReference<>(new IntervalStatistics[0]);

  private volatile long lastAccessNanos = NEVER;

  /** Statistics that count invalid and failed requests as accesses. */
  public BlockStatistics(Clocks clocks) {
    this(clocks, true, true);
  }

  /**
   * All counters at 0.
   *
   * @param accountInvalid whether an invalid request ends idleness
   * @param accountFailed whether a failed request ends idleness, and its time counts
   */
  public BlockStatistics(Clocks clocks, boolean accountInvalid, boolean accountFailed) {
    this.clocks = clocks;
    this.accountInvalid = accountInvalid;
    this.accountFailed = accountFailed;
    Arrays.setAll(counters, i -> new Counters());
  }

  private long nowNanos() {
    return clocks.nanos(ClockType.REALTIME);
  }

  // ------------------------------------------------------------------------------------- counting

  /** The time at which a request starts, for {@link #done} and {@link #failed}. */
  public long start() {
    return nowNanos();
  }

  /**
   * A request has succeeded.
   *
   * @param bytes what it transferred or discarded; 0 for a flush
   */
  public void done(IoKind kind, long bytes, long startNanos) {
    Counters of = counters[kind.ordinal()];
    of.bytes.add(bytes);
    of.operations.increment();
    long now = nowNanos();
    addToHistogram(kind, now - startNanos);
    addTime(kind, now, startNanos);
  }

  /** A request has failed. */
  public void failed(IoKind kind, long startNanos) {
    counters[kind.ordinal()].failed.increment();
    long now = nowNanos();
    addToHistogram(kind, now - startNanos);
    if (accountFailed) {
      addTime(kind, now, startNanos);
    }
  }

  private void addToHistogram(IoKind kind, long latencyNanos) {
    LatencyHistogram histogram = histograms.get(kind.ordinal());
    if (histogram != null) {
      histogram.add(latencyNanos);
    }
  }

  private void addTime(IoKind kind, long nowNanos, long startNanos) {
    long latency = nowNanos - startNanos;
    counters[kind.ordinal()].totalNanos.add(latency);
    lastAccessNanos = nowNanos;
    for (IntervalStatistics interval : intervals.get()) {
      interval.add(kind, latency, nowNanos);
    }
  }

  /** A request was refused before it was tried, because it made no sense. */
  public void invalid(IoKind kind) {
    counters[kind.ordinal()].invalid.increment();
    if (accountInvalid) {
      lastAccessNanos = nowNanos();
    }
  }

  /** So many requests became part of another one. */
  public void merged(IoKind kind, long count) {
    counters[kind.ordinal()].merged.add(count);
  }

  // ------------------------------------------------------------------- histograms and intervals

  /**
   * Starts a histogram anew.
   *
   * @param boundariesNanos unsigned numbers above 0 that ascend; there may be none
   * @return whether they are that; if not, nothing has changed
   */
  public boolean setHistogram(IoKind kind, long... boundariesNanos) {
    Check.argument(kind.hasLatencies(), "there is no histogram for %s", kind);
    boolean valid = LatencyHistogram.isValid(boundariesNanos);
    if (valid) {
      histograms.set(kind.ordinal(), new LatencyHistogram(boundariesNanos));
    }
    return valid;
  }

  /** Ends all histograms. */
  public void clearHistograms() {
    for (IoKind kind : IoKind.values()) {
      histograms.set(kind.ordinal(), null);
    }
  }

  /** The histogram of a kind, or null if none was set. */
  public @Nullable LatencyHistogram histogram(IoKind kind) {
    return histograms.get(kind.ordinal());
  }

  /**
   * Keeps statistics over one more interval.
   *
   * @throws BlockException if it is not between 1 and 2^32 - 1 seconds
   */
  public void addInterval(long seconds) throws BlockException {
    if (seconds < 1 || seconds > MAX_INTERVAL_SECONDS) {
      throw new BlockException(Errno.EINVAL, "Invalid interval length: " + seconds);
    }
    IntervalStatistics added = new IntervalStatistics(seconds, nowNanos());
    intervals.updateAndGet(
        before -> {
          IntervalStatistics[] after = Arrays.copyOf(before, before.length + 1);
          after[before.length] = added;
          return after;
        });
  }

  // -------------------------------------------------------------------------------------- reading

  public long bytes(IoKind kind) {
    return counters[kind.ordinal()].bytes.sum();
  }

  /** How many requests succeeded. */
  public long operations(IoKind kind) {
    return counters[kind.ordinal()].operations.sum();
  }

  public long failedOperations(IoKind kind) {
    return counters[kind.ordinal()].failed.sum();
  }

  public long invalidOperations(IoKind kind) {
    return counters[kind.ordinal()].invalid.sum();
  }

  public long mergedOperations(IoKind kind) {
    return counters[kind.ordinal()].merged.sum();
  }

  /** The time spent on requests, in nanoseconds; that of requests side by side adds up. */
  public long totalNanos(IoKind kind) {
    return counters[kind.ordinal()].totalNanos.sum();
  }

  /** The time since the last access in nanoseconds; -1 if there was none. */
  public long idleNanos() {
    long last = lastAccessNanos;
    return last == NEVER ? -1 : Math.max(0, nowNanos() - last);
  }

  /**
   * The report that query-blockstats gives for a backend.
   *
   * @param writeHighestOffsetBytes the end of what was written furthest out, which the node knows
   */
  public Json.Members report(long writeHighestOffsetBytes) {
    Json.Members report = new Json.Members();
    for (IoKind kind : IoKind.values()) {
      String prefix = kind.prefix();
      if (kind.hasBytes()) {
        report.put(prefix + "_bytes", bytes(kind));
        report.put(prefix + "_merged", mergedOperations(kind));
      }
      report.put(prefix + "_operations", operations(kind));
      report.put(prefix + "_total_time_ns", totalNanos(kind));
      report.put("failed_" + prefix + "_operations", failedOperations(kind));
      report.put("invalid_" + prefix + "_operations", invalidOperations(kind));
      LatencyHistogram histogram = histogram(kind);
      if (histogram != null) {
        report.put(prefix + "_latency_histogram", report(histogram));
      }
    }
    report.put("wr_highest_offset", writeHighestOffsetBytes);
    report.put("account_invalid", accountInvalid);
    report.put("account_failed", accountFailed);
    long idle = idleNanos();
    if (idle >= 0) {
      report.put("idle_time_ns", idle);
    }
    Json.Array timed = new Json.Array();
    long now = nowNanos();
    for (IntervalStatistics interval : intervals.get()) {
      timed.add(interval.report(now));
    }
    return report.put("timed_stats", timed);
  }

  private static Json.Members report(LatencyHistogram histogram) {
    return new Json.Members()
        .put("bins", numbers(histogram.bins()))
        .put("boundaries", numbers(histogram.boundariesNanos()));
  }

  private static Json.Array numbers(long[] unsigned) {
    Json.Array array = new Json.Array();
    for (long number : unsigned) {
      array.add(number >= 0 ? new Json.Whole(number) : new Json.Unsigned(number));
    }
    return array;
  }
}

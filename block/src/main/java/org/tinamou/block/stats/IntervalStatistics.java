package org.tinamou.block.stats;

import org.tinamou.qapi.Json;

/** Latencies of about the last so many seconds. Any thread. */
final class IntervalStatistics {
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final long seconds;
  private final TimedWindow[] windows = new TimedWindow[IoKind.values().length];

  IntervalStatistics(long seconds, long nowNanos) {
    this.seconds = seconds;
    for (IoKind kind : IoKind.values()) {
      windows[kind.ordinal()] = new TimedWindow(seconds * NANOS_PER_SECOND, nowNanos);
    }
  }

  void add(IoKind kind, long latencyNanos, long nowNanos) {
    windows[kind.ordinal()].add(latencyNanos, nowNanos);
  }

  Json.Members report(long nowNanos) {
    Json.Members report = new Json.Members().put("interval_length", seconds);
    for (IoKind kind : IoKind.values()) {
      if (kind.hasLatencies()) {
        TimedWindow.Summary summary = windows[kind.ordinal()].summary(nowNanos);
        String name = kind.prefix() + "_latency_ns";
        report.put("min_" + name, summary.least());
        report.put("max_" + name, summary.largest());
        report.put("avg_" + name, summary.average());
        if (kind.hasBytes()) {
          // Nanoseconds spent in a nanosecond: how many were under way on average.
          report.put("avg_" + kind.prefix() + "_queue_depth", new Json.Real(summary.perNano()));
        }
      }
    }
    return report;
  }
}

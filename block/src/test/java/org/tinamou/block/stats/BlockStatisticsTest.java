package org.tinamou.block.stats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.tinamou.base.ClockType;
import org.tinamou.base.Clocks;
import org.tinamou.block.BlockException;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;

final class BlockStatisticsTest {
  private static final long SECOND = 1_000_000_000L;

  /** Time that stands still unless the test moves it. */
  private static final class HandClock implements Clocks {
    private volatile long now = 5 * SECOND;

    @Override
    public long nanos(ClockType clock) {
      return now;
    }

    @Override
    public boolean isRunning(ClockType clock) {
      return true;
    }

    @Override
    public void onChange(Runnable listener) {}

    @Override
    public void removeListener(Runnable listener) {}
  }

  private final HandClock clock = new HandClock();
  private final BlockStatistics statistics = new BlockStatistics(clock);

  private void request(BlockStatistics to, IoKind kind, long bytes, long latencyNanos) {
    long start = to.start();
    clock.now += latencyNanos;
    to.done(kind, bytes, start);
  }

  private static Json interval(BlockStatistics from, int index) {
    return ((Json.Array) from.report(0).members().get("timed_stats")).elements().get(index);
  }

  private static double number(Json members, String name) {
    return switch (((Json.Members) members).members().get(name)) {
      case Json.Whole(long value) -> value;
      case Json.Real(double value) -> value;
      default -> throw new AssertionError(name);
    };
  }

  @Test
  void eachKindIsCountedApart() {
    request(statistics, IoKind.READ, 4096, 100);
    request(statistics, IoKind.READ, 513, 50);
    request(statistics, IoKind.WRITE, 8192, 7);
    request(statistics, IoKind.FLUSH, 0, 3);
    request(statistics, IoKind.UNMAP, 1 << 20, 2);
    statistics.merged(IoKind.WRITE, 3);
    statistics.invalid(IoKind.UNMAP);
    statistics.failed(IoKind.FLUSH, statistics.start());
    assertEquals(4609, statistics.bytes(IoKind.READ));
    assertEquals(2, statistics.operations(IoKind.READ));
    assertEquals(150, statistics.totalNanos(IoKind.READ));
    assertEquals(8192, statistics.bytes(IoKind.WRITE));
    assertEquals(3, statistics.mergedOperations(IoKind.WRITE));
    assertEquals(1, statistics.operations(IoKind.FLUSH));
    assertEquals(1, statistics.failedOperations(IoKind.FLUSH));
    assertEquals(1 << 20, statistics.bytes(IoKind.UNMAP));
    assertEquals(1, statistics.invalidOperations(IoKind.UNMAP));
  }

  @Test
  void idleTimeEndsAsConfigured() {
    for (boolean counted : new boolean[] {true, false}) {
      BlockStatistics tested = new BlockStatistics(clock, counted, counted);
      assertEquals(-1, tested.idleNanos());
      tested.invalid(IoKind.READ);
      assertEquals(counted ? 0 : -1, tested.idleNanos());
      request(tested, IoKind.READ, 1, 10);
      clock.now += 500;
      assertEquals(500, tested.idleNanos());
      tested.failed(IoKind.READ, tested.start() - 20);
      assertEquals(counted ? 0 : 500, tested.idleNanos());
      assertEquals(counted ? 30 : 10, tested.totalNanos(IoKind.READ));
    }
  }

  @Test
  void histogramsCountFromEachBoundaryOn() {
    assertTrue(statistics.setHistogram(IoKind.READ, 10, 50, 100));
    for (long latency : new long[] {0, 9, 10, 49, 50, 99, 100, 1 << 20}) {
      request(statistics, IoKind.READ, 1, latency);
    }
    request(statistics, IoKind.WRITE, 1, 5);
    LatencyHistogram histogram = statistics.histogram(IoKind.READ);
    assertArrayEquals(new long[] {2, 2, 2, 2}, histogram.bins());
    assertArrayEquals(new long[] {10, 50, 100}, histogram.boundariesNanos());
    assertNull(statistics.histogram(IoKind.WRITE));
    assertTrue(statistics.setHistogram(IoKind.READ, 5));
    assertArrayEquals(new long[] {0, 0}, statistics.histogram(IoKind.READ).bins());
    statistics.clearHistograms();
    assertNull(statistics.histogram(IoKind.READ));
  }

  @Test
  void histogramsAcceptWhatTheReferenceAccepts() {
    assertTrue(statistics.setHistogram(IoKind.FLUSH));
    assertArrayEquals(new long[] {0}, statistics.histogram(IoKind.FLUSH).bins());
    assertTrue(statistics.setHistogram(IoKind.FLUSH, 7, -1), "unsigned");
    assertFalse(statistics.setHistogram(IoKind.FLUSH, 0));
    assertFalse(statistics.setHistogram(IoKind.FLUSH, 10, 10));
    assertFalse(statistics.setHistogram(IoKind.FLUSH, 10, 5));
    assertEquals(2, statistics.histogram(IoKind.FLUSH).boundariesNanos().length, "as before");
    assertThrows(IllegalArgumentException.class, () -> statistics.setHistogram(IoKind.UNMAP, 1));
  }

  @Test
  void failedRequestsAreInTheHistogramButNotAlwaysInTheIntervals() throws BlockException {
    for (boolean counted : new boolean[] {true, false}) {
      BlockStatistics tested = new BlockStatistics(clock, true, counted);
      tested.setHistogram(IoKind.READ, 10);
      tested.addInterval(10);
      tested.failed(IoKind.READ, tested.start() - 55);
      assertArrayEquals(new long[] {0, 1}, tested.histogram(IoKind.READ).bins());
      assertEquals(counted ? 55 : 0, number(interval(tested, 0), "max_rd_latency_ns"));
      assertEquals(0, tested.operations(IoKind.READ));
    }
  }

  @Test
  void intervalsForgetWhatIsOlder() throws BlockException {
    statistics.addInterval(3);
    statistics.addInterval(30);
    request(statistics, IoKind.WRITE, 1, 400);
    request(statistics, IoKind.WRITE, 1, 200);
    Json shortly = interval(statistics, 0);
    assertEquals(3, number(shortly, "interval_length"));
    assertEquals(200, number(shortly, "min_wr_latency_ns"));
    assertEquals(400, number(shortly, "max_wr_latency_ns"));
    assertEquals(300, number(shortly, "avg_wr_latency_ns"));
    // The older window began two thirds of an interval before the start.
    assertEquals(600 / 2e9, number(shortly, "avg_wr_queue_depth"), 1e-12);
    clock.now += SECOND;
    assertEquals(600 / 3e9, number(interval(statistics, 0), "avg_wr_queue_depth"), 1e-12);
    clock.now += 2 * SECOND;
    request(statistics, IoKind.WRITE, 1, 100);
    assertEquals(400, number(interval(statistics, 0), "max_wr_latency_ns"));
    clock.now += SECOND;
    assertEquals(100, number(interval(statistics, 0), "max_wr_latency_ns"));
    assertEquals(400, number(interval(statistics, 1), "max_wr_latency_ns"));
    clock.now += 1000 * SECOND;
    assertEquals(0, number(interval(statistics, 0), "max_wr_latency_ns"));
    assertEquals(0, number(interval(statistics, 1), "avg_wr_latency_ns"));
  }

  @Test
  void queueDepthIsWhatWasUnderWay() throws BlockException {
    statistics.addInterval(3);
    clock.now += 100 * SECOND;
    for (int i = 0; i < 4000; i++) {
      clock.now += SECOND / 1000;
      for (int j = 0; j < 5; j++) {
        statistics.done(IoKind.READ, 1, clock.now - SECOND / 1000);
      }
    }
    assertEquals(5, number(interval(statistics, 0), "avg_rd_queue_depth"), 0.01);
  }

  @Test
  void intervalsHaveALength() throws BlockException {
    statistics.addInterval(0xffff_ffffL);
    for (long seconds : new long[] {0, -1, 1L << 32}) {
      assertEquals(
          "Invalid interval length: " + seconds,
          assertThrows(BlockException.class, () -> statistics.addInterval(seconds)).getMessage());
    }
  }

  /** The names that qemu-system-x86_64 7.2 reports. */
  @Test
  void theReportHasTheReferencesMembers() throws BlockException {
    statistics.addInterval(10);
    statistics.setHistogram(IoKind.READ, 10, -1);
    request(statistics, IoKind.READ, 4096, 20);
    clock.now += 5;
    Json.Members report = statistics.report(65536);
    Set<String> expected = new TreeSet<>();
    for (String kind : List.of("rd", "wr", "flush", "unmap")) {
      expected.addAll(List.of(kind + "_operations", kind + "_total_time_ns"));
      expected.addAll(List.of("failed_" + kind + "_operations", "invalid_" + kind + "_operations"));
      if (!kind.equals("flush")) {
        expected.addAll(List.of(kind + "_bytes", kind + "_merged"));
      }
    }
    expected.addAll(List.of("account_invalid", "account_failed", "wr_highest_offset"));
    expected.addAll(List.of("idle_time_ns", "timed_stats", "rd_latency_histogram"));
    assertEquals(expected, new TreeSet<>(report.members().keySet()));
    assertEquals(
        "{\"bins\": [0, 1, 0], \"boundaries\": [10, 18446744073709551615]}",
        JsonWriter.compact(report.members().get("rd_latency_histogram")));
    assertEquals(
        Set.of(
            "interval_length",
            "min_rd_latency_ns",
            "max_rd_latency_ns",
            "avg_rd_latency_ns",
            "avg_rd_queue_depth",
            "min_wr_latency_ns",
            "max_wr_latency_ns",
            "avg_wr_latency_ns",
            "avg_wr_queue_depth",
            "min_flush_latency_ns",
            "max_flush_latency_ns",
            "avg_flush_latency_ns"),
        ((Json.Members) interval(statistics, 0)).members().keySet());
    assertEquals(5, number(report, "idle_time_ns"));
    assertEquals(65536, number(report, "wr_highest_offset"));
  }

  @Test
  void nothingIsLostBetweenThreads() throws Exception {
    int perThread = 50_000;
    statistics.addInterval(1);
    statistics.setHistogram(IoKind.READ, 10);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int j = 0; j < perThread; j++) {
                      statistics.done(IoKind.READ, 2, statistics.start() - j % 20);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(8L * perThread, statistics.bytes(IoKind.READ));
    assertArrayEquals(
        new long[] {2L * perThread, 2L * perThread}, statistics.histogram(IoKind.READ).bins());
    assertEquals(9, number(interval(statistics, 0), "avg_rd_latency_ns"));
  }
}

package org.tinamou.bench;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;

/** There and back between the loops of two threads: a coroutine of each wakes the other's. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(LoopState.REPEATS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class WakeUpBenchmark {
  @Param({"IO_URING", "EPOLL"})
  public PollerKind poller = PollerKind.AUTO;

  /** How long a loop looks for work before it waits. */
  @Param({"0", "32768"})
  public long busyPollingNanos;

  private @Nullable LoopHost host;
  private final IoThread[] threads = new IoThread[2];
  private final Coroutine[] sides = new Coroutine[2];

  /** Counts up with every wake-up; each side waits for its parity. */
  private volatile int turn;

  @Setup
  public void open() {
    LoopHost opened = new LoopHost(poller);
    host = opened;
    BusyPolling busyPolling = new BusyPolling(busyPollingNanos, 0, 0);
    for (int i = 0; i < 2; i++) {
      threads[i] = opened.startIoThread("side" + i, busyPolling);
    }
  }

  @TearDown
  public void close() {
    for (IoThread each : threads) {
      each.close();
    }
    java.util.Objects.requireNonNull(host).close();
  }

  @Benchmark
  public void roundTrip() throws Exception {
    turn = 0;
    AioContext far = threads[1].context();
    threads[0]
        .context()
        .submit(
            "near",
            () -> {
              sides[0] = Coroutine.current();
              sides[1] = far.spawn("far", () -> play(1));
              play(0);
              sides[1].join();
              return "";
            })
        .get();
  }

  private void play(int self) {
    int now = turn;
    while (now < 2 * LoopState.REPEATS) {
      if (now % 2 == self) {
        turn = now + 1;
        sides[1 - self].wake();
      } else {
        Coroutine.suspend("bench");
      }
      now = turn;
    }
  }
}

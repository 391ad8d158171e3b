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
import org.tinamou.aio.BottomHalf;
import org.tinamou.aio.poller.PollerKind;

/** Schedule a bottom half and run it, on its own loop. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(LoopState.REPEATS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class BottomHalfBenchmark {
  /** Without anything queued, the one asks the kernel at each turn and the other does not. */
  @Param({"IO_URING", "EPOLL"})
  public PollerKind poller = PollerKind.AUTO;

  private @Nullable LoopState loop;
  private final BottomHalf[] bottomHalves = new BottomHalf[LoopState.REPEATS];
  private LoopState.@Nullable Finish finish;
  private int left;

  private LoopState loop() {
    return java.util.Objects.requireNonNull(loop);
  }

  @Setup
  public void open() throws Exception {
    loop = new LoopState(poller);
    loop.start();
    for (int i = 0; i < bottomHalves.length; i++) {
      bottomHalves[i] = loop.context().bottomHalf("counted", this::count);
    }
  }

  @TearDown
  public void close() {
    loop().close();
  }

  private void count() {
    if (--left == 0) {
      java.util.Objects.requireNonNull(finish).finish();
    }
  }

  /** Many in one turn of the loop. */
  @Benchmark
  public void manyATurn() throws Exception {
    loop()
        .run(
            () -> {
              LoopState.Finish end = new LoopState.Finish();
              finish = end;
              left = bottomHalves.length;
              for (BottomHalf each : bottomHalves) {
                each.schedule();
              }
              end.await();
              return "";
            });
  }

  /** Each schedules itself anew: one for each turn of the loop. */
  @Benchmark
  public void oneATurn() throws Exception {
    loop()
        .run(
            () -> {
              LoopState.Finish end = new LoopState.Finish();
              new Chain(loop(), end).start();
              end.await();
              return "";
            });
  }

  private static final class Chain {
    private final BottomHalf self;
    private final LoopState.Finish end;
    private int left = LoopState.REPEATS;

    Chain(LoopState loop, LoopState.Finish end) {
      this.self = loop.context().bottomHalf("chain", this::again);
      this.end = end;
    }

    void start() {
      self.schedule();
    }

    private void again() {
      if (--left == 0) {
        end.finish();
      } else {
        self.schedule();
      }
    }
  }
}

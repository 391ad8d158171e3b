package org.tinamou.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.base.ClockType;

/** Timers of one loop, a thousand of them at once. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(LoopState.REPEATS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class TimerBenchmark {
  private static final long FAR_NANOS = 3_600_000_000_000L;

  /** Arm each, then cancel each. */
  @Benchmark
  public void armAndCancel(LoopState loop) throws Exception {
    AioContext context = loop.context();
    loop.run(
        () -> {
          AioTimer[] timers = new AioTimer[LoopState.REPEATS];
          for (int i = 0; i < timers.length; i++) {
            timers[i] = context.timer(ClockType.REALTIME, "cancelled", () -> {});
            timers[i].armIn(FAR_NANOS - i * 37L % 1009);
          }
          for (AioTimer each : timers) {
            each.cancel();
          }
          return "";
        });
  }

  /** Arm each with a time that has come, and let it fire. */
  @Benchmark
  public void armAndFire(LoopState loop) throws Exception {
    AioContext context = loop.context();
    loop.run(
        () -> {
          LoopState.Finish end = new LoopState.Finish();
          int[] left = {LoopState.REPEATS};
          Runnable callback =
              () -> {
                if (--left[0] == 0) {
                  end.finish();
                }
              };
          for (int i = 0; i < LoopState.REPEATS; i++) {
            context.timer(ClockType.REALTIME, "fires", callback).armIn(0);
          }
          end.await();
          return "";
        });
  }
}

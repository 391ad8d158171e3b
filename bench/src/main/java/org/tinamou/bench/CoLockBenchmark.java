package org.tinamou.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.CoRwLock;

/** Coroutine locks that nobody else wants. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(LoopState.REPEATS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class CoLockBenchmark {
  private final CoMutex mutex = new CoMutex("bench");
  private final CoRwLock rwLock = new CoRwLock("bench");
  private int guarded;

  /** Lock and unlock a mutex. */
  @Benchmark
  public int mutex(LoopState loop) throws Exception {
    loop.run(
        () -> {
          for (int i = 0; i < LoopState.REPEATS; i++) {
            mutex.lock();
            guarded++;
            mutex.unlock();
          }
          return "";
        });
    return guarded;
  }

  /** Lock for reading, and unlock. */
  @Benchmark
  public int reader(LoopState loop) throws Exception {
    loop.run(
        () -> {
          for (int i = 0; i < LoopState.REPEATS; i++) {
            rwLock.readLock();
            guarded++;
            rwLock.unlock();
          }
          return "";
        });
    return guarded;
  }
}

package org.tinamou.bench;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
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

/**
 * What the JDK takes for a virtual thread on the plainest of schedulers, one queue and nothing
 * else: the floor of {@link CoroutineBenchmark}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(LoopState.REPEATS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class BareCoroutineBenchmark {
  private static final int NO_INHERIT_THREAD_LOCALS = 1 << 2;

  private final MethodHandle newThread;
  private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
  private int turn;
  private int ended;

  public BareCoroutineBenchmark() {
    try {
      Method method =
          Class.forName("java.lang.ThreadBuilders")
              .getDeclaredMethod(
                  "newVirtualThread", Executor.class, String.class, int.class, Runnable.class);
      method.setAccessible(true);
      newThread = MethodHandles.lookup().unreflect(method);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Each has an executor of its own, as coroutines do. */
  private Thread start(Runnable body) {
    Executor scheduler = queue::add;
    try {
      Thread thread =
          (Thread) newThread.invokeExact(scheduler, "bare", NO_INHERIT_THREAD_LOCALS, body);
      thread.start();
      return thread;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private void runAll() {
    for (Runnable continuation; (continuation = queue.poll()) != null; ) {
      continuation.run();
    }
  }

  /** Beside {@link CoroutineBenchmark#createParkAndFinish}. */
  @Benchmark
  public int createParkAndFinish() {
    Thread[] all = new Thread[LoopState.REPEATS];
    for (int i = 0; i < all.length; i++) {
      all[i] =
          start(
              () -> {
                LockSupport.park();
                ended++;
              });
    }
    runAll();
    for (Thread each : all) {
      LockSupport.unpark(each);
    }
    runAll();
    return ended;
  }

  /** Beside {@link CoroutineBenchmark#parkAndUnpark}. */
  @Benchmark
  public int parkAndUnpark() {
    Thread[] sides = new Thread[2];
    turn = 0;
    for (int i = 0; i < 2; i++) {
      int self = i;
      sides[i] = start(() -> play(self, sides));
    }
    runAll();
    return turn;
  }

  private void play(int self, Thread[] sides) {
    while (turn < LoopState.REPEATS) {
      while (turn % 2 != self && turn < LoopState.REPEATS) {
        LockSupport.park();
      }
      turn++;
      LockSupport.unpark(sides[1 - self]);
    }
  }
}

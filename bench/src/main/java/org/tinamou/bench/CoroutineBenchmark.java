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
import org.tinamou.aio.Coroutine;

/** What a coroutine costs from its start to its end, on one loop. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(LoopState.REPEATS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class CoroutineBenchmark {
  private static final int MANY = 50;

  /** Work of several coroutines, with its end. */
  private static final class Crowd {
    private final LoopState.Finish end = new LoopState.Finish();
    private int left;

    Crowd(int size) {
      left = size;
    }

    void leave() {
      if (--left == 0) {
        end.finish();
      }
    }
  }

  /** Start it, let it run and end. */
  @Benchmark
  public void createAndFinish(LoopState loop) throws Exception {
    AioContext context = loop.context();
    loop.run(
        () -> {
          Crowd crowd = new Crowd(LoopState.REPEATS);
          for (int i = 0; i < LoopState.REPEATS; i++) {
            context.spawn("short", crowd::leave);
          }
          crowd.end.await();
          return "";
        });
  }

  /** Start it, let it park, wake it, let it end. */
  @Benchmark
  public void createParkAndFinish(LoopState loop) throws Exception {
    AioContext context = loop.context();
    loop.run(
        () -> {
          Crowd crowd = new Crowd(LoopState.REPEATS);
          Coroutine[] all = new Coroutine[LoopState.REPEATS];
          for (int i = 0; i < all.length; i++) {
            all[i] =
                context.spawn(
                    "parked",
                    () -> {
                      Coroutine.suspend("bench");
                      crowd.leave();
                    });
          }
          Coroutine.yieldNow();
          for (Coroutine each : all) {
            each.wake();
          }
          crowd.end.await();
          return "";
        });
  }

  /** One coroutine alone: each yield is a turn of the loop. */
  @Benchmark
  public void yieldAlone(LoopState loop) throws Exception {
    loop.run(
        () -> {
          for (int i = 0; i < LoopState.REPEATS; i++) {
            Coroutine.yieldNow();
          }
          return "";
        });
  }

  /** Many coroutines in each turn of the loop. */
  @Benchmark
  public void yieldAmongMany(LoopState loop) throws Exception {
    AioContext context = loop.context();
    loop.run(
        () -> {
          Crowd crowd = new Crowd(MANY);
          for (int i = 0; i < MANY; i++) {
            context.spawn(
                "yields",
                () -> {
                  for (int j = 0; j < LoopState.REPEATS / MANY; j++) {
                    Coroutine.yieldNow();
                  }
                  crowd.leave();
                });
          }
          crowd.end.await();
          return "";
        });
  }

  /** Two coroutines wake each other in turn. */
  @Benchmark
  public void parkAndUnpark(LoopState loop) throws Exception {
    pingPong(loop, 1);
  }

  /** As {@link #parkAndUnpark}, with many such pairs in each turn of the loop. */
  @Benchmark
  public void parkAndUnparkAmongMany(LoopState loop) throws Exception {
    pingPong(loop, MANY);
  }

  private static void pingPong(LoopState loop, int pairs) throws Exception {
    AioContext context = loop.context();
    loop.run(
        () -> {
          Crowd crowd = new Crowd(2 * pairs);
          for (int i = 0; i < pairs; i++) {
            new Pair(context, crowd, LoopState.REPEATS / pairs);
          }
          crowd.end.await();
          return "";
        });
  }

  private static final class Pair {
    private final Coroutine[] sides = new Coroutine[2];
    private int turn;

    Pair(AioContext context, Crowd crowd, int switches) {
      for (int i = 0; i < 2; i++) {
        int self = i;
        sides[i] =
            context.spawn(
                "side",
                () -> {
                  play(self, switches);
                  crowd.leave();
                });
      }
    }

    private void play(int self, int switches) {
      while (turn < switches) {
        while (turn % 2 != self && turn < switches) {
          Coroutine.suspend("bench");
        }
        turn++;
        sides[1 - self].wake();
      }
    }
  }
}

package org.tinamou.bench;

import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.BottomHalf;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ClockType;
import org.tinamou.base.ErrnoException;

/** What the parts of a loop cost, one operation each. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-opens=java.base/java.lang=ALL-UNNAMED",
      "--enable-native-access=ALL-UNNAMED"
    })
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class LoopBenchmark {
  private static final int OPERATIONS = 10_000;
  private static final int ROUND_TRIPS = 1_000;

  /** How long the loops of the round trip look for work before they wait. */
  @Param({"0", "32000"})
  public long pollMaxNanos;

  private record Rig(LoopHost host, AioContext context, IoThread other) {}

  private @Nullable Rig rig;

  /** The loop belongs to the thread that measures, which opens it. */
  @Setup(Level.Trial)
  public void open() throws ErrnoException {
    BusyPolling polling = new BusyPolling(pollMaxNanos, 2, 2);
    LoopHost host = new LoopHost(PollerKind.AUTO);
    rig = new Rig(host, host.newContext("main", polling), host.startIoThread("other", polling));
  }

  @TearDown(Level.Trial)
  public void close() {
    Rig last = rig();
    last.other.close();
    last.context.close();
    last.host.close();
  }

  private Rig rig() {
    return Objects.requireNonNull(rig);
  }

  @Benchmark
  @OperationsPerInvocation(OPERATIONS)
  public int bottomHalf() throws Exception {
    int[] left = {OPERATIONS};
    BottomHalf[] bottomHalf = new BottomHalf[1];
    AioContext context = rig().context;
    return context.runUntilDone(
        "bottom half",
        () -> {
          Coroutine self = Coroutine.current();
          bottomHalf[0] =
              context.bottomHalf(
                  "measured",
                  () -> {
                    if (--left[0] > 0) {
                      bottomHalf[0].schedule();
                    } else {
                      self.wake();
                    }
                  });
          bottomHalf[0].schedule();
          while (left[0] > 0) {
            Coroutine.suspend("bottom halves");
          }
          return left[0];
        });
  }

  @Benchmark
  @OperationsPerInvocation(OPERATIONS)
  public int createParkFinish() throws Exception {
    AioContext context = rig().context;
    return context.runUntilDone(
        "spawner",
        () -> {
          int[] ended = new int[1];
          Coroutine[] all = new Coroutine[100];
          for (int i = 0; i < OPERATIONS / all.length; i++) {
            for (int j = 0; j < all.length; j++) {
              all[j] =
                  context.spawn(
                      "measured",
                      () -> {
                        Coroutine.suspend("measured");
                        ended[0]++;
                      });
            }
            Coroutine.yieldNow();
            for (Coroutine each : all) {
              each.wake();
            }
            Coroutine.yieldNow();
          }
          return ended[0];
        });
  }

  @Benchmark
  @OperationsPerInvocation(OPERATIONS)
  public int parkAndUnpark() throws Exception {
    AioContext context = rig().context;
    return context.runUntilDone(
        "pair",
        () -> {
          int[] turn = new int[1];
          Coroutine[] pair = new Coroutine[2];
          for (int i = 0; i < 2; i++) {
            int me = i;
            pair[i] =
                context.spawn(
                    "measured",
                    () -> {
                      for (int j = 0; j < OPERATIONS / 2; j++) {
                        while (turn[0] != me) {
                          Coroutine.suspend("turn");
                        }
                        turn[0] = 1 - me;
                        pair[1 - me].wake();
                      }
                    });
          }
          pair[0].join();
          pair[1].join();
          return turn[0];
        });
  }

  @Benchmark
  @OperationsPerInvocation(ROUND_TRIPS)
  public int wakeAcrossThreads() throws Exception {
    AioContext context = rig().context;
    return context.runUntilDone(
        "round trip",
        () -> {
          AioContext far = rig().other.context();
          for (int i = 0; i < ROUND_TRIPS; i++) {
            Coroutine.moveTo(far);
            Coroutine.moveTo(context);
          }
          return ROUND_TRIPS;
        });
  }

  @Benchmark
  @OperationsPerInvocation(OPERATIONS)
  public int timerFires() throws Exception {
    AioContext context = rig().context;
    return context.runUntilDone(
        "timers",
        () -> {
          Coroutine self = Coroutine.current();
          int[] fired = new int[1];
          AioTimer[] timers = new AioTimer[100];
          for (int i = 0; i < timers.length; i++) {
            timers[i] =
                context.timer(
                    ClockType.REALTIME,
                    "measured",
                    () -> {
                      fired[0]++;
                      self.wake();
                    });
          }
          for (int i = 1; i <= OPERATIONS / timers.length; i++) {
            for (AioTimer timer : timers) {
              timer.armIn(0);
            }
            while (fired[0] < i * timers.length) {
              Coroutine.suspend("timers");
            }
          }
          return fired[0];
        });
  }

  @Benchmark
  @OperationsPerInvocation(OPERATIONS)
  public int timerArmAndCancel() throws Exception {
    AioContext context = rig().context;
    return context.runUntilDone(
        "timers",
        () -> {
          AioTimer timer = context.timer(ClockType.REALTIME, "measured", () -> {});
          for (int i = 0; i < OPERATIONS; i++) {
            timer.armIn(1_000_000_000L);
            timer.cancel();
          }
          return OPERATIONS;
        });
  }

  @Benchmark
  @OperationsPerInvocation(OPERATIONS)
  public int mutex() throws Exception {
    CoMutex mutex = new CoMutex("measured");
    AioContext context = rig().context;
    return context.runUntilDone(
        "mutex",
        () -> {
          for (int i = 0; i < OPERATIONS; i++) {
            mutex.lock();
            mutex.unlock();
          }
          return OPERATIONS;
        });
  }
}

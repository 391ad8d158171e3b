package org.tinamou.bench;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.EventFd;

/** What the kernel takes for a round trip between two threads that block: the floor of any loop. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class EventFdBenchmark {
  private final EventFd there;
  private final EventFd back;
  private volatile boolean end;
  private @Nullable Thread echo;

  public EventFdBenchmark() {
    try {
      there = EventFd.open(false);
      back = EventFd.open(false);
    } catch (ErrnoException e) {
      throw new IllegalStateException(e);
    }
  }

  @Setup
  public void start() {
    echo = Thread.ofPlatform().start(this::echo);
  }

  private void echo() {
    while (true) {
      there.drain();
      if (end) {
        return;
      }
      back.signal();
    }
  }

  @TearDown
  public void stop() throws InterruptedException {
    end = true;
    there.signal();
    java.util.Objects.requireNonNull(echo).join();
    there.close();
    back.close();
  }

  @Benchmark
  public long bareRoundTrip() {
    there.signal();
    return back.drain();
  }
}

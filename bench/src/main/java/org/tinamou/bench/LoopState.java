package org.tinamou.bench;

import java.util.concurrent.Callable;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ErrnoException;

/** A loop that the benchmark's own thread turns. */
@State(Scope.Thread)
public class LoopState {
  /** How often an operation is repeated in one call of a benchmark. */
  static final int REPEATS = 1000;

  private final LoopHost host;
  private final AioContext context;

  public LoopState() {
    this(PollerKind.AUTO);
  }

  LoopState(PollerKind poller) {
    host = new LoopHost(poller);
    try {
      context = host.newContext("bench", BusyPolling.OFF);
    } catch (ErrnoException e) {
      throw new IllegalStateException(e);
    }
  }

  AioContext context() {
    return context;
  }

  /** Runs the body in a coroutine of the loop. */
  void run(Callable<Object> body) throws Exception {
    context.runUntilDone("bench", body);
  }

  /** Makes the loop's thread its home before anything is measured. */
  @Setup(Level.Trial)
  public void start() throws Exception {
    run(() -> "");
  }

  @TearDown(Level.Trial)
  public void close() {
    context.close();
    host.close();
  }

  /** In a coroutine: parks until somebody has called {@link #finish}. */
  static final class Finish {
    private final Coroutine waiter = Coroutine.current();
    private boolean finished;

    void await() {
      while (!finished) {
        Coroutine.suspend("the end of the measured work");
      }
    }

    void finish() {
      finished = true;
      waiter.wake();
    }
  }
}

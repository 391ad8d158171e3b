package org.tinamou.tools.cli;

import java.io.UncheckedIOException;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.Watchdog;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.StallWatch;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.qapi.OptionException;

/**
 * Loops on threads of the host, for programs that run for long: those that stand still are recorded
 * (see {@link StallWatch}), the main loop's too. With {@code TINAMOU_STALLS} in the environment
 * they are printed besides, with the stack of what keeps them busy.
 */
public final class HostLoops implements LoopStarter, AutoCloseable {
  private final LoopHost host;
  private final AioContext main;
  private final StallWatch watch = new StallWatch(HostLoops::report);

  private static void report(Watchdog.Stall stall) {
    if (System.getenv("TINAMOU_STALLS") != null) {
      System.err.println(stall);
    }
  }

  /** Starts looking after the main loop. */
  public HostLoops(LoopHost host, AioContext main) {
    this.host = host;
    this.main = main;
    watch.add(main);
  }

  @Override
  @InCoroutine
  public Loop start(String name, BusyPolling polling) throws OptionException {
    IoThread thread;
    try {
      thread = blocking(() -> host.startIoThread(name, polling));
    } catch (UncheckedIOException e) {
      throw new OptionException(String.valueOf(e.getMessage()));
    }
    watch.add(thread.context());
    return new Loop() {
      @Override
      public AioContext context() {
        return thread.context();
      }

      @Override
      public long threadId() {
        return thread.hostId();
      }

      @Override
      public void close() {
        watch.remove(thread.context());
        blocking(
            () -> {
              thread.close();
              return true;
            });
      }
    };
  }

  private <T> T blocking(java.util.function.Supplier<T> call) {
    return Coroutine.current().context().callBlocking(call::get);
  }

  /** Looks after no loop any more. */
  @Override
  public void close() {
    watch.remove(main);
    watch.close();
  }
}

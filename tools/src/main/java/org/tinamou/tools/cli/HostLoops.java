package org.tinamou.tools.cli;

import java.io.UncheckedIOException;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.StallWatch;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.qapi.OptionException;

/**
 * Loops on threads of the host, for programs that run for long: those that stand still are recorded
 * (see {@link StallWatch}), the main loop's too.
 */
public final class HostLoops implements LoopStarter, AutoCloseable {
  private final LoopHost host;
  private final AioContext main;
  private final StallWatch watch = new StallWatch(_ -> {});

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

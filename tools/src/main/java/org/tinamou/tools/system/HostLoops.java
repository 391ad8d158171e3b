package org.tinamou.tools.system;

import java.io.UncheckedIOException;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.qapi.OptionException;

/** Loops on threads of the host. */
final class HostLoops implements LoopStarter {
  private final LoopHost host;

  HostLoops(LoopHost host) {
    this.host = host;
  }

  @Override
  @InCoroutine
  public Loop start(String name, BusyPolling polling) throws OptionException {
    IoThread thread;
    try {
      thread = host.startIoThread(name, polling);
    } catch (UncheckedIOException e) {
      throw new OptionException(String.valueOf(e.getMessage()));
    }
    return new Loop() {
      @Override
      public AioContext context() {
        return thread.context();
      }

      @Override
      public void close() {
        thread.close();
      }
    };
  }
}

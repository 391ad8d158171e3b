package org.tinamou.aio.poller;

import java.io.UncheckedIOException;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.LoopFailures;
import org.tinamou.aio.LoopHooks;
import org.tinamou.aio.LoopSetup;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.SystemClocks;

/**
 * What the production loops of one process share: clocks, workers and file calls. Builds loops on
 * the kernel interface that was chosen.
 */
public final class LoopHost implements AutoCloseable {
  private final PollerKind pollerKind;
  private final SystemClocks clocks = new SystemClocks();
  private final WorkerPool workers = new WorkerPool();
  private final LinuxHostFiles hostFiles = new LinuxHostFiles();

  public LoopHost(PollerKind pollerKind) {
    this.pollerKind = pollerKind;
  }

  /** The clocks of all loops; stops and starts VIRTUAL. */
  @AnyThread
  public SystemClocks clocks() {
    return clocks;
  }

  /**
   * A loop for the thread that will turn it, which should be the caller.
   *
   * @throws ErrnoException if the kernel refuses the poller
   */
  @AnyThread
  public AioContext newContext(String name, BusyPolling busyPolling) throws ErrnoException {
    return new AioContext(
        new LoopSetup(
            name,
            Pollers.open(pollerKind, workers),
            clocks,
            workers,
            hostFiles,
            busyPolling,
            LoopHooks.NONE,
            LoopFailures.PRINT));
  }

  /**
   * A thread with a loop of its own.
   *
   * @throws java.util.concurrent.CompletionException if the kernel refuses the poller
   */
  @AnyThread
  public IoThread startIoThread(String name, BusyPolling busyPolling) {
    return IoThread.start(
        name,
        () -> {
          try {
            return newContext(name, busyPolling);
          } catch (ErrnoException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  /** Ends the workers; the loops are closed before. */
  @Override
  public void close() {
    workers.close();
  }
}

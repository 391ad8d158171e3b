package org.tinamou.aio.poller;

import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.IoThread;
import org.tinamou.aio.LoopFailures;
import org.tinamou.aio.LoopHooks;
import org.tinamou.aio.LoopSetup;
import org.tinamou.aio.Poller;
import org.tinamou.aio.Workers;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.SystemClocks;
import org.tinamou.host.HostThreads;

/**
 * What the production loops of one process share: clocks, workers and file calls. Builds loops on
 * the kernel interface that was chosen, or on none where the kernel offers none.
 */
public final class LoopHost implements AutoCloseable {
  private final PollerKind pollerKind;
  private final SystemClocks clocks = new SystemClocks();
  private final WorkerPool workers = new WorkerPool();
  private final AtomicReference<@Nullable HostFiles> hostFiles = new AtomicReference<>();

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
    HostFiles chosen = hostFiles.get();
    if (chosen == null && !Pollers.mayCallKernel(pollerKind)) {
      chosen = choose(new NioFiles());
    }
    if (chosen instanceof NioFiles nioFiles) {
      return withoutKernel(name, busyPolling, nioFiles);
    }
    Poller poller;
    try {
      poller = Pollers.open(pollerKind, workers);
    } catch (ErrnoException refused) {
      // Once a loop has files of the kernel all others need them too.
      if (Pollers.wanted(pollerKind) == PollerKind.AUTO
          && choose(new NioFiles()) instanceof NioFiles nioFiles) {
        return withoutKernel(name, busyPolling, nioFiles);
      }
      throw refused;
    }
    HostFiles files = choose(new LinuxHostFiles());
    if (files instanceof NioFiles nioFiles) {
      poller.close();
      return withoutKernel(name, busyPolling, nioFiles);
    }
    return newContext(name, busyPolling, poller, workers, files);
  }

  /**
   * A thread whose loop makes its calls itself, those that wait for a socket's bytes included, one
   * after the other, and hands none over: for copying what the host's cache holds, where a piece
   * that was read is still in the processor's own caches when the same thread writes it. While a
   * call lasts nothing else runs on the loop, so it should have one coroutine only, and nobody
   * should wait for it in haste.
   *
   * @throws java.util.concurrent.CompletionException if the kernel refuses the poller
   */
  @AnyThread
  public IoThread startCopyingThread(String name) {
    return IoThread.start(
        name,
        () -> {
          try {
            return newCopyingContext(name);
          } catch (ErrnoException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private AioContext newCopyingContext(String name) throws ErrnoException {
    CallingThread workers = new CallingThread();
    HostFiles files = hostFiles.get();
    if (files == null) {
      files = choose(Pollers.mayCallKernel(pollerKind) ? new LinuxHostFiles() : new NioFiles());
    }
    Poller poller =
        files instanceof NioFiles nioFiles
            ? NioPoller.open(workers, nioFiles)
            : EpollPoller.openCalling(workers);
    return newContext(name, BusyPolling.OFF, poller, workers, files);
  }

  private AioContext withoutKernel(String name, BusyPolling busyPolling, NioFiles files) {
    return newContext(name, busyPolling, NioPoller.open(workers, files), workers, files);
  }

  /** The files of all loops: these, unless there are some already. */
  private HostFiles choose(HostFiles files) {
    HostFiles before = hostFiles.compareAndExchange(null, files);
    return before == null ? files : before;
  }

  private AioContext newContext(
      String name, BusyPolling busyPolling, Poller poller, Workers workers, HostFiles files) {
    return new AioContext(
        new LoopSetup(
            name, poller, clocks, workers, files, busyPolling, LoopHooks.NONE, LoopFailures.PRINT));
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
        },
        () -> Pollers.mayCallKernel(pollerKind) ? HostThreads.currentId() : -1);
  }

  /** Ends the workers; the loops are closed before. */
  @Override
  public void close() {
    workers.close();
  }
}

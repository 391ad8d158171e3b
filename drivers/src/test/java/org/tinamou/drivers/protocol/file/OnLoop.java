package org.tinamou.drivers.protocol.file;

import java.util.concurrent.Callable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.LoopFailures;
import org.tinamou.aio.LoopHooks;
import org.tinamou.aio.LoopSetup;
import org.tinamou.aio.Poller;
import org.tinamou.aio.poller.LinuxHostFiles;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.aio.poller.WorkerPool;
import org.tinamou.base.SystemClocks;

/** Runs a test's body as a coroutine. */
public final class OnLoop {
  /** What a test does. */
  public interface Body {
    void run(AioContext context) throws Exception;
  }

  private OnLoop() {}

  /** With each engine this host offers. */
  public static void run(Body body) throws Exception {
    for (PollerKind kind : new PollerKind[] {PollerKind.AUTO, PollerKind.EPOLL}) {
      try (LoopHost host = new LoopHost(kind);
          AioContext context = host.newContext("test", BusyPolling.OFF)) {
        context.runUntilDone("test", call(context, body));
      }
    }
  }

  public static void run(Poller poller, Body body) throws Exception {
    try (WorkerPool workers = new WorkerPool();
        AioContext context =
            new AioContext(
                new LoopSetup(
                    "test",
                    poller,
                    new SystemClocks(),
                    workers,
                    new LinuxHostFiles(),
                    BusyPolling.OFF,
                    LoopHooks.NONE,
                    LoopFailures.PRINT))) {
      context.runUntilDone("test", call(context, body));
    }
  }

  private static Callable<Boolean> call(AioContext context, Body body) {
    return () -> {
      body.run(context);
      return true;
    };
  }
}

package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import org.tinamou.aio.poller.LinuxHostFiles;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.aio.poller.Pollers;
import org.tinamou.aio.poller.WorkerPool;
import org.tinamou.base.ErrnoException;

/**
 * Loops on real threads and a production poller, with time that a test moves and failures it can
 * look at. Closing it closes the threads and fails if a failure was left unlooked at.
 */
final class LoopRig implements AutoCloseable {
  /** What a loop reported. */
  record Failure(AioContext context, Object source, Throwable failure) {}

  /** A test's body in a coroutine. */
  @FunctionalInterface
  interface Body {
    void run(AioContext loop) throws Exception;
  }

  final ManualClocks clocks = new ManualClocks();
  final WorkerPool workers = new WorkerPool(4);
  final ConcurrentLinkedQueue<Failure> failures = new ConcurrentLinkedQueue<>();
  private final Map<AioContext, CountingPoller> pollers = new IdentityHashMap<>();
  private final List<IoThread> threads = new ArrayList<>();
  private final PollerKind kind;

  LoopRig(PollerKind kind) {
    this.kind = kind;
  }

  /** The production pollers that work here; says so when io_uring does not. */
  static List<PollerKind> pollerKinds() {
    try (WorkerPool workers = new WorkerPool(1);
        Poller probe = Pollers.open(PollerKind.IO_URING, workers)) {
      return List.of(PollerKind.IO_URING, PollerKind.EPOLL);
    } catch (ErrnoException e) {
      System.err.println("io_uring is refused here (" + e.getMessage() + "): tested on epoll only");
      return List.of(PollerKind.EPOLL);
    }
  }

  PollerKind kind() {
    return kind;
  }

  AioContext newContext(String name) {
    return newContext(name, BusyPolling.OFF);
  }

  AioContext newContext(String name, BusyPolling busyPolling) {
    return newContext(name, busyPolling, this::failed);
  }

  AioContext newContext(String name, BusyPolling busyPolling, LoopFailures whoLearns) {
    try {
      CountingPoller poller = new CountingPoller(Pollers.open(kind, workers));
      AioContext context =
          new AioContext(
              new LoopSetup(
                  name,
                  poller,
                  clocks,
                  workers,
                  new LinuxHostFiles(),
                  busyPolling,
                  LoopHooks.NONE,
                  whoLearns));
      synchronized (pollers) {
        pollers.put(context, poller);
      }
      return context;
    } catch (ErrnoException e) {
      throw new IllegalStateException(e);
    }
  }

  private void failed(AioContext context, Object source, Throwable failure) {
    failures.add(new Failure(context, source, failure));
  }

  CountingPoller poller(AioContext context) {
    synchronized (pollers) {
      return pollers.get(context);
    }
  }

  List<CountingPoller> allPollers() {
    synchronized (pollers) {
      return List.copyOf(pollers.values());
    }
  }

  IoThread startThread(String name) {
    return startThread(name, BusyPolling.OFF);
  }

  IoThread startThread(String name, BusyPolling busyPolling) {
    IoThread thread = IoThread.start(name, () -> newContext(name, busyPolling));
    threads.add(thread);
    return thread;
  }

  /** Runs the body in a coroutine of a new loop on the calling thread, then closes the loop. */
  void run(Body body) throws Exception {
    AioContext loop = newContext("main");
    loop.runUntilDone(
        "test",
        () -> {
          body.run(loop);
          return "";
        });
    loop.close();
  }

  /** The only failure reported so far; it does not count as unlooked at any more. */
  Failure takeFailure() {
    assertEquals(1, failures.size(), () -> "reported: " + failures);
    return failures.remove();
  }

  /** In a coroutine: lets its loop turn until the condition holds. */
  static void turnUntil(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      Coroutine.yieldNow();
    }
  }

  /** In a coroutine: lets its loop turn often enough for everything that is ready to happen. */
  static void settle() {
    for (int i = 0; i < 4; i++) {
      Coroutine.yieldNow();
    }
  }

  /** Outside of loops: waits for another thread. */
  static void spinUntil(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() {
    threads.forEach(IoThread::close);
    workers.close();
    assertEquals(List.of(), List.copyOf(failures), "failures reported by the loops");
  }
}

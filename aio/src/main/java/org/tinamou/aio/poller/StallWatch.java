package org.tinamou.aio.poller;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.LoopStallEvent;
import org.tinamou.aio.Watchdog;

/**
 * Looks at loops from a thread of its own, and tells of each that was busy with one and the same
 * callback or coroutine for a whole interval. What it tells is also recorded as a {@link
 * LoopStallEvent}.
 */
public final class StallWatch implements AutoCloseable {
  /** How long a loop may be busy with one thing. */
  public static final long INTERVAL_MILLIS = 100;

  private final ReentrantLock lock = new ReentrantLock();
  private final Watchdog watchdog;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(StallWatch::newThread);

  /**
   * Starts looking.
   *
   * @param report told of each stall, on the thread of the watch
   */
  public StallWatch(Consumer<Watchdog.Stall> report) {
    watchdog = new Watchdog(stall -> tell(stall, report));
    var unused =
        thread.scheduleAtFixedRate(
            this::look, INTERVAL_MILLIS, INTERVAL_MILLIS, TimeUnit.MILLISECONDS);
  }

  private static Thread newThread(Runnable work) {
    return Thread.ofPlatform().name("stall watch").daemon().unstarted(work);
  }

  private static void tell(Watchdog.Stall stall, Consumer<Watchdog.Stall> report) {
    LoopStallEvent event = new LoopStallEvent();
    if (event.shouldCommit()) {
      event.loop = stall.context().name();
      event.report = stall.toString();
      event.commit();
    }
    report.accept(stall);
  }

  private void look() {
    lock.lock();
    try {
      watchdog.look();
    } finally {
      lock.unlock();
    }
  }

  @AnyThread
  public void add(AioContext context) {
    lock.lock();
    try {
      watchdog.add(context);
    } finally {
      lock.unlock();
    }
  }

  /** Has to be called before the loop is closed. */
  @AnyThread
  public void remove(AioContext context) {
    lock.lock();
    try {
      watchdog.remove(context);
    } finally {
      lock.unlock();
    }
  }

  /** Stops looking. */
  @Override
  public void close() {
    thread.shutdownNow();
  }
}

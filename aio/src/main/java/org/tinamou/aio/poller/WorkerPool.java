package org.tinamou.aio.poller;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Workers;
import org.tinamou.base.Check;

/**
 * Daemon threads for blocking calls, made when no idle one is there, up to a number; idle ones end
 * after a while. Handing a job over takes no lock.
 */
public final class WorkerPool implements Workers {
  /** How many threads a process usually grants its blocking calls. */
  public static final int DEFAULT_THREADS = 64;

  private static final long IDLE_SECONDS = 10;

  @SuppressWarnings("UnnecessaryLambda") // told apart from jobs by its identity
  private static final Runnable END = () -> {};

  private final int maxThreads;
  private final long idleNanos;
  private final LinkedTransferQueue<Runnable> queue = new LinkedTransferQueue<>();
  private final AtomicInteger threads = new AtomicInteger();
  private final AtomicInteger sequence = new AtomicInteger();
  private final Set<Thread> running = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  public WorkerPool() {
    this(DEFAULT_THREADS);
  }

  /**
   * A pool without threads as yet.
   *
   * @param maxThreads how many jobs run at once; others wait
   */
  public WorkerPool(int maxThreads) {
    this(maxThreads, TimeUnit.SECONDS.toNanos(IDLE_SECONDS));
  }

  WorkerPool(int maxThreads, long idleNanos) {
    Check.argument(maxThreads > 0, "a pool needs threads");
    this.maxThreads = maxThreads;
    this.idleNanos = idleNanos;
  }

  @AnyThread
  @Override
  public void execute(Runnable job) {
    Check.state(!closed, "the worker pool is closed");
    if (queue.tryTransfer(job)) {
      return;
    }
    if (reserveThread()) {
      startThread(job);
    } else {
      queue.put(job);
      // The last thread may have ended since; then the job needs a new one.
      rescueQueue();
    }
  }

  private boolean reserveThread() {
    int count = threads.get();
    while (count < maxThreads) {
      int witness = threads.compareAndExchange(count, count + 1);
      if (witness == count) {
        return true;
      }
      count = witness;
    }
    return false;
  }

  private void startThread(@Nullable Runnable first) {
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name("worker" + sequence.getAndIncrement())
            .unstarted(() -> work(first));
    running.add(thread);
    thread.start();
  }

  private void rescueQueue() {
    if (!queue.isEmpty() && reserveThread()) {
      startThread(null);
    }
  }

  private void work(@Nullable Runnable first) {
    Runnable job = first == null ? next() : first;
    while (job != null && job != END) {
      try {
        job.run();
      } catch (Throwable failure) {
        Thread self = Thread.currentThread();
        self.getUncaughtExceptionHandler().uncaughtException(self, failure);
      }
      job = next();
    }
    if (job == END) {
      // For the next thread.
      queue.put(END);
    }
    running.remove(Thread.currentThread());
    threads.decrementAndGet();
    if (job == null) {
      rescueQueue();
    }
  }

  /** The next job; null after a long idle time. */
  private @Nullable Runnable next() {
    try {
      return queue.poll(idleNanos, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      // Nobody has a reason to interrupt a worker; jobs left queued get another thread.
      return null;
    }
  }

  /** How many threads exist now. */
  @AnyThread
  int threadCount() {
    return threads.get();
  }

  /** Waits for the jobs accepted so far and frees the threads; the pool accepts no more. */
  @Override
  public void close() {
    closed = true;
    queue.put(END);
    boolean interrupted = false;
    for (Thread thread : running) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

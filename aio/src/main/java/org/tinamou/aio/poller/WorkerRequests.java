package org.tinamou.aio.poller;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;

/**
 * The requests of one poller that worker threads carry out. Finished ones come back through a
 * lock-free queue, which the home thread empties; everything belongs to that thread unless it says
 * otherwise.
 */
final class WorkerRequests {
  private static final VarHandle FINISHED;

  static {
    try {
      FINISHED =
          MethodHandles.lookup().findVarHandle(WorkerRequests.class, "finished", FileJob.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Workers workers;
  private final FileCalls calls;
  private final Runnable wake;
  private final ArrayDeque<IoRequest> givenUp = new ArrayDeque<>();
  private int inFlight;

  /** Last in, first out; emptied as a whole. */
  private volatile @Nullable FileJob finished;

  /**
   * @param wake ends the wait of the poller, from any thread
   */
  WorkerRequests(Workers workers, FileCalls calls, Runnable wake) {
    this.workers = workers;
    this.calls = calls;
    this.wake = wake;
  }

  void submit(IoRequest request) {
    FileJob job = new FileJob(this, request);
    request.pollerState = job;
    inFlight++;
    workers.execute(job);
  }

  /** Gives a request up that no worker has begun with. */
  void cancel(IoRequest request) {
    if (request.pollerState instanceof FileJob job && job.claim()) {
      request.pollerState = null;
      givenUp.add(request);
    }
  }

  int inFlight() {
    return inFlight;
  }

  /** Whether {@link #completeAll} has something to do. */
  boolean hasCompletions() {
    return finished != null || !givenUp.isEmpty();
  }

  void completeAll() {
    for (IoRequest request; (request = givenUp.poll()) != null; ) {
      inFlight--;
      request.complete(-Errno.ECANCELED.number());
    }
    FileJob job = oldestFirst((FileJob) FINISHED.getAndSet(this, null));
    while (job != null) {
      FileJob following = job.next;
      inFlight--;
      job.complete();
      job = following;
    }
  }

  private static @Nullable FileJob oldestFirst(@Nullable FileJob newest) {
    FileJob oldest = null;
    FileJob job = newest;
    while (job != null) {
      FileJob older = job.next;
      job.next = oldest;
      oldest = job;
      job = older;
    }
    return oldest;
  }

  @AnyThread
  long perform(IoRequest request) {
    return calls.perform(request);
  }

  /** A worker has done its job. */
  @AnyThread
  void finished(FileJob job) {
    FileJob seen = finished;
    while (true) {
      job.next = seen;
      FileJob witness = (FileJob) FINISHED.compareAndExchange(this, seen, job);
      if (witness == seen) {
        break;
      }
      seen = witness;
    }
    if (seen == null) {
      // Whoever finds others in the queue knows that the first of them wakes the loop.
      wake.run();
    }
  }
}

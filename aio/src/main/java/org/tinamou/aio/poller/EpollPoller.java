package org.tinamou.aio.poller;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.Epoll;

/**
 * A loop's watches through epoll and its file requests through worker threads, for hosts without
 * io_uring. Finished requests come back through a lock-free queue that {@link #poll} empties.
 */
final class EpollPoller implements Poller {
  private static final int MAX_EVENTS = 128;
  private static final int WAKE = -1;
  private static final VarHandle FINISHED;

  static {
    try {
      FINISHED = MethodHandles.lookup().findVarHandle(EpollPoller.class, "finished", FileJob.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Epoll epoll;
  private final WakeSignal wakeSignal;
  private final Workers workers;
  private final EpollWatches watches;
  private final ArrayDeque<IoRequest> givenUp = new ArrayDeque<>();
  private int inFlight;

  /** Last in, first out; emptied as a whole. */
  private volatile @Nullable FileJob finished;

  private EpollPoller(Epoll epoll, WakeSignal wakeSignal, Workers workers) {
    this.epoll = epoll;
    this.wakeSignal = wakeSignal;
    this.workers = workers;
    this.watches = new EpollWatches(epoll);
  }

  /**
   * A poller with an epoll instance of its own.
   *
   * @param workers run the file requests; not closed with the poller
   */
  static EpollPoller open(Workers workers) throws ErrnoException {
    Epoll epoll = Epoll.open(MAX_EVENTS);
    try {
      WakeSignal wakeSignal = new WakeSignal();
      int result = epoll.add(wakeSignal.fd(), Epoll.IN | Epoll.EDGE_TRIGGERED, WAKE);
      if (result < 0) {
        wakeSignal.close();
        throw new ErrnoException(Errno.ofResult(result), "epoll_ctl");
      }
      return new EpollPoller(epoll, wakeSignal, workers);
    } catch (ErrnoException e) {
      epoll.close();
      throw e;
    }
  }

  @Override
  public void submit(IoRequest request) {
    FileJob job = new FileJob(this, request);
    request.pollerState = job;
    inFlight++;
    workers.execute(job);
  }

  @Override
  public void cancel(IoRequest request) {
    if (request.pollerState instanceof FileJob job && job.claim()) {
      request.pollerState = null;
      givenUp.add(request);
    }
  }

  /** A worker has done its job. */
  @AnyThread
  void finished(FileJob job, long result) {
    job.result(result);
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
      wakeSignal.wake();
    }
  }

  @Override
  public int inFlight() {
    return inFlight;
  }

  @Override
  public void update(FdWatch watch) {
    watches.update(watch);
  }

  @Override
  public void poll(long timeoutNanos) {
    boolean mayWait =
        timeoutNanos != 0
            && givenUp.isEmpty()
            && finished == null
            && !watches.hasAlwaysReady()
            && wakeSignal.fallAsleep();
    int events;
    if (mayWait) {
      events = epoll.await(timeoutNanos);
      wakeSignal.awake();
    } else {
      wakeSignal.ignore();
      events = epoll.await(0);
    }
    for (int i = 0; i < events; i++) {
      int fd = (int) epoll.data(i);
      if (fd != WAKE) {
        watches.ready(fd, epoll.events(i));
      }
    }
    watches.markAlwaysReady();
    completeRequests();
  }

  private void completeRequests() {
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
  @Override
  public void wake() {
    wakeSignal.wake();
  }

  @Override
  public void close() {
    epoll.close();
    wakeSignal.close();
  }
}

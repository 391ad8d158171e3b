package org.tinamou.aio.poller;

import org.tinamou.aio.AnyThread;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.aio.SocketHost;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.Epoll;

/**
 * A loop's watches through epoll and its file requests through worker threads, for hosts without
 * io_uring.
 */
final class EpollPoller implements Poller {
  private static final int MAX_EVENTS = 128;
  private static final int WAKE = -1;

  private final Epoll epoll;
  private final WakeSignal wakeSignal;
  private final WorkerRequests requests;
  private final EpollWatches watches;
  private final SocketHost sockets;

  private EpollPoller(Epoll epoll, WakeSignal wakeSignal, Workers workers, SocketHost sockets) {
    this.sockets = sockets;
    this.epoll = epoll;
    this.wakeSignal = wakeSignal;
    this.requests = new WorkerRequests(workers, LinuxFileCalls::perform, wakeSignal::wake);
    this.watches = new EpollWatches(epoll);
  }

  /**
   * A poller with an epoll instance of its own.
   *
   * @param workers run the file requests; not closed with the poller
   */
  static EpollPoller open(Workers workers) throws ErrnoException {
    return open(workers, LinuxSocketHost.READINESS);
  }

  /** A poller for a thread that makes its calls itself, also those that wait for a socket. */
  static EpollPoller openCalling(CallingThread workers) throws ErrnoException {
    return open(workers, LinuxSocketHost.CALLS);
  }

  private static EpollPoller open(Workers workers, SocketHost sockets) throws ErrnoException {
    Epoll epoll = Epoll.open(MAX_EVENTS);
    try {
      WakeSignal wakeSignal = new WakeSignal();
      int result = epoll.add(wakeSignal.fd(), Epoll.IN | Epoll.EDGE_TRIGGERED, WAKE);
      if (result < 0) {
        wakeSignal.close();
        throw new ErrnoException(Errno.ofResult(result), "epoll_ctl");
      }
      return new EpollPoller(epoll, wakeSignal, workers, sockets);
    } catch (ErrnoException e) {
      epoll.close();
      throw e;
    }
  }

  @Override
  public void submit(IoRequest request) {
    requests.submit(request);
  }

  @Override
  public void cancel(IoRequest request) {
    requests.cancel(request);
  }

  @Override
  public int inFlight() {
    return requests.inFlight();
  }

  @Override
  public void update(FdWatch watch) {
    watches.update(watch);
  }

  @Override
  public void poll(long timeoutNanos) {
    boolean mayWait =
        timeoutNanos != 0
            && !requests.hasCompletions()
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
    requests.completeAll();
  }

  @Override
  public SocketHost sockets() {
    return sockets;
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

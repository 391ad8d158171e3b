package org.tinamou.aio;

import java.util.concurrent.atomic.AtomicLong;

/** A production poller whose calls are counted. */
final class CountingPoller implements Poller {
  /** Polls that were allowed to wait. */
  final AtomicLong waits = new AtomicLong();

  /** All polls. */
  final AtomicLong polls = new AtomicLong();

  final AtomicLong wakes = new AtomicLong();
  volatile boolean closed;

  private final Poller poller;

  CountingPoller(Poller poller) {
    this.poller = poller;
  }

  @Override
  public void submit(IoRequest request) {
    poller.submit(request);
  }

  @Override
  public void cancel(IoRequest request) {
    poller.cancel(request);
  }

  @Override
  public void update(FdWatch watch) {
    poller.update(watch);
  }

  @Override
  public void poll(long timeoutNanos) {
    polls.incrementAndGet();
    if (timeoutNanos != 0) {
      waits.incrementAndGet();
    }
    poller.poll(timeoutNanos);
  }

  @Override
  public void wake() {
    wakes.incrementAndGet();
    if (closed) {
      throw new IllegalStateException("a closed poller was woken");
    }
    poller.wake();
  }

  @Override
  public int inFlight() {
    return poller.inFlight();
  }

  @Override
  public void close() {
    closed = true;
    poller.close();
  }
}

package org.tinamou.aio.poller;

import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.FdWatch;

/** Waits of coroutines for a descriptor, each in its own loop. */
final class SocketWait implements FdWatch.Handler {
  private final Coroutine waiter;
  private boolean ready;

  private SocketWait(Coroutine waiter) {
    this.waiter = waiter;
  }

  @Override
  public void ready(int readyEvents) {
    ready = true;
    waiter.wake();
  }

  /**
   * Waits until one of the events may hold.
   *
   * @return false if the coroutine's cancel flag is up
   */
  static boolean await(int fd, int events) {
    Coroutine self = Coroutine.current();
    if (self.isCancelRequested()) {
      return false;
    }
    AioContext context = self.context();
    SocketWait wait = new SocketWait(self);
    FdWatch watch = context.watch(fd, events, wait);
    try {
      while (!wait.ready && !self.isCancelRequested()) {
        Coroutine.suspend("socket");
      }
    } finally {
      watch.remove();
    }
    return !self.isCancelRequested();
  }
}

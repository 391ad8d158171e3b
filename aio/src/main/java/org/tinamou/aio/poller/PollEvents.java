package org.tinamou.aio.poller;

import org.tinamou.aio.FdWatch;
import org.tinamou.host.Epoll;

/** Translates between the events of a watch and those of the kernel. */
final class PollEvents {
  private PollEvents() {}

  static int toKernel(int interest) {
    return ((interest & FdWatch.READABLE) != 0 ? Epoll.IN | Epoll.PEER_HANG_UP : 0)
        | ((interest & FdWatch.WRITABLE) != 0 ? Epoll.OUT : 0);
  }

  /** Errors and hang-ups count as both, so that whatever was asked for, the handler hears of it. */
  static int fromKernel(int events) {
    if ((events & (Epoll.ERROR | Epoll.HANG_UP)) != 0) {
      return FdWatch.READABLE | FdWatch.WRITABLE;
    }
    return ((events & (Epoll.IN | Epoll.PEER_HANG_UP)) != 0 ? FdWatch.READABLE : 0)
        | ((events & Epoll.OUT) != 0 ? FdWatch.WRITABLE : 0);
  }
}

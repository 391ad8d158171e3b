package org.tinamou.aio.poller;

import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Poller;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/** Makes production pollers. Any thread; the first thread that polls becomes a poller's home. */
public final class Pollers {
  /**
   * System property: {@code io_uring} or {@code threads} decide what {@link PollerKind#AUTO} is.
   */
  public static final String SWITCH = "tinamou.aio";

  private Pollers() {}

  /**
   * Opens a poller.
   *
   * @param workers run file I/O where there is no io_uring; shared, not closed by the poller
   * @throws ErrnoException if the kernel refuses; {@link PollerKind#IO_URING} is also refused while
   *     the switch says {@code threads}
   */
  @AnyThread
  public static Poller open(PollerKind kind, Workers workers) throws ErrnoException {
    PollerKind forced = forced();
    PollerKind wanted = kind == PollerKind.AUTO ? forced : kind;
    return switch (wanted) {
      case IO_URING -> {
        if (forced == PollerKind.EPOLL) {
          throw new ErrnoException(Errno.EPERM, "io_uring is switched off (" + SWITCH + ")");
        }
        yield UringPoller.open();
      }
      case EPOLL -> EpollPoller.open(workers);
      case AUTO -> {
        try {
          yield UringPoller.open();
        } catch (ErrnoException refused) {
          yield EpollPoller.open(workers);
        }
      }
    };
  }

  /** What the switch says. */
  private static PollerKind forced() {
    String value = System.getProperty(SWITCH, "");
    return switch (value) {
      case "" -> PollerKind.AUTO;
      case "io_uring" -> PollerKind.IO_URING;
      case "threads" -> PollerKind.EPOLL;
      default ->
          throw new IllegalArgumentException(
              SWITCH + " must be io_uring or threads, not '" + value + "'");
    };
  }
}

package org.tinamou.aio.poller;

import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Poller;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/**
 * Makes the pollers that call the kernel themselves. Any thread; the first thread that polls
 * becomes a poller's home.
 */
public final class Pollers {
  /**
   * System property: {@code io_uring}, {@code threads} or {@code nio} decide what {@link
   * PollerKind#AUTO} is.
   */
  public static final String SWITCH = "tinamou.aio";

  private Pollers() {}

  /**
   * Opens a poller.
   *
   * @param kind not {@link PollerKind#NIO}, whose files go with the poller: see {@link LoopHost}
   * @param workers run file I/O where there is no io_uring; shared, not closed by the poller
   * @throws ErrnoException if the kernel refuses; {@link PollerKind#IO_URING} is also refused while
   *     the switch says {@code threads}
   */
  @AnyThread
  public static Poller open(PollerKind kind, Workers workers) throws ErrnoException {
    return switch (wanted(kind)) {
      case IO_URING -> {
        PollerKind forced = forced();
        if (forced == PollerKind.EPOLL || forced == PollerKind.NIO) {
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
      case NIO -> throw new IllegalArgumentException("a poller without native calls has own files");
    };
  }

  /** The kind itself, or what the switch makes of {@link PollerKind#AUTO}. */
  @AnyThread
  static PollerKind wanted(PollerKind kind) {
    return kind == PollerKind.AUTO ? forced() : kind;
  }

  /** Whether a loop may call the kernel itself; false where the switch or the system forbids it. */
  @AnyThread
  public static boolean mayCallKernel(PollerKind kind) {
    PollerKind wanted = wanted(kind);
    return wanted != PollerKind.NIO
        && (wanted != PollerKind.AUTO || System.getProperty("os.name", "").equals("Linux"));
  }

  /** What the switch says. */
  private static PollerKind forced() {
    String value = System.getProperty(SWITCH, "");
    return switch (value) {
      case "" -> PollerKind.AUTO;
      case "io_uring" -> PollerKind.IO_URING;
      case "threads" -> PollerKind.EPOLL;
      case "nio" -> PollerKind.NIO;
      default ->
          throw new IllegalArgumentException(
              SWITCH + " must be io_uring, threads or nio, not '" + value + "'");
    };
  }
}

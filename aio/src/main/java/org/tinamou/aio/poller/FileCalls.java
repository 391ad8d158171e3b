package org.tinamou.aio.poller;

import org.tinamou.aio.AnyThread;
import org.tinamou.aio.IoRequest;

/** How a worker carries a request out. */
@FunctionalInterface
interface FileCalls {
  /**
   * Does what the request asks for, as long as that takes.
   *
   * @return bytes transferred or 0, or a negative errno
   */
  @AnyThread
  long perform(IoRequest request);
}

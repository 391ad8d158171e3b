package org.tinamou.aio;

import org.tinamou.base.ErrnoException;

/** Where connections arrive. */
public interface ListenSocket {
  /**
   * Waits for the next connection. One coroutine at a time.
   *
   * @throws ErrnoException ECANCELED once the socket is closed or the coroutine's cancel flag is
   *     up; EMFILE and the like if the host has no room for another connection
   */
  @InCoroutine
  StreamSocket accept() throws ErrnoException;

  /** The port in use, or -1 if the socket has none. */
  @AnyThread
  int port();

  /** Refuses further connections. Idempotent; the loop's coroutine in {@link #accept} goes on. */
  @HomeThread
  void close();
}

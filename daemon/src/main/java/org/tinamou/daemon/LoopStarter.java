package org.tinamou.daemon;

import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.InCoroutine;
import org.tinamou.qapi.OptionException;

/** Starts loops beside the main one: threads of the host in production, simulated ones in tests. */
@FunctionalInterface
public interface LoopStarter {
  /** A loop that was started. */
  interface Loop {
    @AnyThread
    AioContext context();

    /** The number by which the host knows its thread; -1 where there is none. */
    @AnyThread
    default long threadId() {
      return -1;
    }

    /** Ends it. Nothing lives in it any more. */
    @InCoroutine
    void close();
  }

  /**
   * Starts one.
   *
   * @throws OptionException if the host refuses
   */
  @InCoroutine
  Loop start(String name, BusyPolling polling) throws OptionException;
}

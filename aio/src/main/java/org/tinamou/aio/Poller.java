package org.tinamou.aio;

import java.lang.foreign.MemorySegment;
import org.tinamou.base.Errno;

/**
 * What one loop needs of the outside world: I/O completions, descriptor readiness, waiting and
 * being woken. Given to the loop when it is built: io_uring, epoll with a worker pool, or a
 * simulator.
 *
 * <p>Thread rule: every method is called on the loop's home thread, except {@link #wake()}, which
 * any thread may call at any time until {@link #close()} has returned. An implementation never
 * calls back into user code: it completes requests with {@link IoRequest#complete} and reports
 * descriptors with {@link FdWatch#markReady}, and only from inside {@link #poll}.
 */
public interface Poller extends AutoCloseable {
  /** Waits without a time limit when passed to {@link #poll}. */
  long FOREVER = Long.MAX_VALUE;

  /**
   * Accepts a request; it reaches the host no later than the next {@link #poll}. Never blocks and
   * never completes the request before {@code poll} is called. The request's memory must stay alive
   * until it completes. A request the host cannot take completes with a negative errno.
   */
  void submit(IoRequest request);

  /**
   * Asks the host to give a submitted request up. The request still completes exactly once: with
   * {@code -ECANCELED} or with its normal result. Without effect on a completed request.
   */
  void cancel(IoRequest request);

  /**
   * Follows a change of {@link FdWatch#interest()}: watches the descriptor, level-triggered, for
   * just those events from now on; an interest of 0 forgets it. After that call the poller no
   * longer touches the watch and the descriptor may be closed.
   */
  void update(FdWatch watch);

  /**
   * Hands over what was submitted, completes requests and reports ready descriptors. If there is
   * nothing to report it waits until there is, until {@link #wake()} was called since the last poll
   * returned, or until the time is over. It may return early for no reason, and does not wait any
   * more once it has completed a request.
   *
   * @param timeoutNanos how long to wait; 0 does not wait, {@link #FOREVER} has no limit
   */
  void poll(long timeoutNanos);

  /** Ends the current or the next wait of {@link #poll}. Any thread; never blocks. */
  void wake();

  /**
   * Reads from a file's cache without waiting.
   *
   * @return how many bytes, 0 at the end of the file, or a negative number if that needs a request
   */
  default long readAtHand(int fd, MemorySegment buffer, long offsetBytes) {
    return -Errno.EAGAIN.number();
  }

  /** The sockets that the poller can wait for. */
  default SocketHost sockets() {
    return SocketHost.NONE;
  }

  /** Requests submitted and not yet completed. */
  int inFlight();

  /** Frees the host's resources; the loop has checked that nothing is in flight or watched. */
  @Override
  void close();
}

package org.tinamou.aio;

import org.jspecify.annotations.Nullable;

/**
 * A descriptor a loop watches for readiness, with the handler it runs. Made by {@link
 * AioContext#watch}; every method belongs to the loop's home thread.
 *
 * <p>A handler may change or remove its own watch or any other of the same loop, also one that is
 * about to be dispatched: a removed watch's handler is never called again.
 */
public final class FdWatch {
  /** The descriptor can be read, has been closed by its peer or has an error. */
  public static final int READABLE = 1;

  /** The descriptor can be written or has an error. */
  public static final int WRITABLE = 1 << 2;

  /** Runs on the home thread when the descriptor is ready; must not block. */
  @FunctionalInterface
  public interface Handler {
    /**
     * The descriptor is ready.
     *
     * @param readyEvents those of {@link #READABLE} and {@link #WRITABLE} that were asked for and
     *     hold
     */
    void ready(int readyEvents);
  }

  /** Free for the poller, e.g. an index into its tables. */
  public int pollerSlot = -1;

  /** Free for the poller. */
  public @Nullable Object pollerState;

  final Handler handler;
  int readyEvents;
  boolean queued;

  /** Position among the loop's watches; -1 once removed. */
  int index = -1;

  private final LoopWatches watches;
  private final int fd;
  private int interest;

  FdWatch(LoopWatches watches, int fd, int interest, Handler handler) {
    this.watches = watches;
    this.fd = fd;
    this.interest = interest;
    this.handler = handler;
  }

  public int fd() {
    return fd;
  }

  /** The events asked for; 0 once removed. */
  public int interest() {
    return interest;
  }

  /** Watches for other events from now on; 0 pauses without forgetting the handler. */
  public void setInterest(int events) {
    watches.changeInterest(this, events);
  }

  /** Forgets the descriptor; after the call it may be closed. Idempotent. */
  public void remove() {
    watches.remove(this);
  }

  void interest(int events) {
    interest = events;
  }

  /**
   * Called by the poller inside {@link Poller#poll}: the handler runs once in this turn of the
   * loop.
   */
  public void markReady(int events) {
    readyEvents |= events & interest;
    if (readyEvents != 0 && !queued) {
      queued = true;
      watches.queueReady(this);
    }
  }

  @Override
  public String toString() {
    return "watch of descriptor " + fd;
  }
}

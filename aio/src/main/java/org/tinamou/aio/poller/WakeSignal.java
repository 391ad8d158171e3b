package org.tinamou.aio.poller;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.EventFd;

/**
 * How other threads end a poller's wait: an eventfd that is written at most once a sleep. It is
 * watched for writes, never read: each write is an event of its own.
 */
final class WakeSignal implements AutoCloseable {
  private static final int AWAKE = 0;
  private static final int ASLEEP = 1;
  private static final int WOKEN = 2;
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(WakeSignal.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final EventFd eventFd;
  private volatile int state = AWAKE;

  /** Writes that wakers have made or are about to make. */
  private long writes;

  WakeSignal() throws ErrnoException {
    this.eventFd = EventFd.open(false);
  }

  int fd() {
    return eventFd.fd();
  }

  /**
   * Home thread, before it waits.
   *
   * @return false if a wake-up came since the last poll: it is used up, and the poll must not wait
   */
  boolean fallAsleep() {
    if (STATE.compareAndSet(this, AWAKE, ASLEEP)) {
      return true;
    }
    state = AWAKE;
    return false;
  }

  /** Home thread, after it waited. */
  void awake() {
    if ((int) STATE.getAndSet(this, AWAKE) == WOKEN) {
      writes++;
    }
  }

  /** Home thread, in a poll that does not wait: uses up a wake-up. */
  void ignore() {
    if (state == WOKEN) {
      state = AWAKE;
    }
  }

  @AnyThread
  void wake() {
    if ((int) STATE.getAndSet(this, WOKEN) == ASLEEP) {
      eventFd.signal();
    }
  }

  /** Waits for wakers that are about to write, so that none writes to a descriptor used anew. */
  @Override
  public void close() {
    long seen = 0;
    while (seen < writes) {
      seen += Math.max(0, eventFd.drain());
    }
    eventFd.close();
  }
}

package org.tinamou.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Decides who has to wake a loop, so that no wake-up is lost and none is sent to a loop that is
 * awake.
 *
 * <p>The sleeper announces that it is about to wait, then looks for work once more, then waits. The
 * waker publishes work, then looks whether the sleeper has announced itself. Both steps are
 * sequentially consistent, so at least one of the two sees the other. Exactly one waker wins the
 * announcement and pays for the wake-up.
 *
 * <p>The winner may be slow, e.g. because the loop it has just woken took its processor. The loop
 * never waits for it except before it is closed: a late wake-up ends a later sleep early, which is
 * harmless.
 */
final class SleepGate {
  private static final int ASLEEP = 1;

  /** The higher bits count the wakers between {@link #mustWake} and {@link #wakeDelivered}. */
  private static final int ONE_WAKER = 2;

  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(SleepGate.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private volatile int state;

  /** Home thread: announces that the loop is about to wait. A full fence. */
  void announceSleep() {
    STATE.getAndBitwiseOr(this, ASLEEP);
  }

  /** Home thread: the loop is awake again, whether it waited or found work before it did. */
  void awake() {
    if ((state & ASLEEP) != 0) {
      STATE.getAndBitwiseAnd(this, ~ASLEEP);
    }
  }

  /**
   * Any thread, after it has published work with a full fence: true if the caller has to wake the
   * loop, and then to call {@link #wakeDelivered()}.
   */
  boolean mustWake() {
    int seen = state;
    while ((seen & ASLEEP) != 0) {
      int witness = (int) STATE.compareAndExchange(this, seen, seen - ASLEEP + ONE_WAKER);
      if (witness == seen) {
        return true;
      }
      seen = witness;
    }
    return false;
  }

  /** The caller for whom {@link #mustWake()} was true has woken the loop. */
  void wakeDelivered() {
    STATE.getAndAdd(this, -ONE_WAKER);
  }

  /**
   * Home thread, before the poller is closed and after the last task was queued: waits out wakers
   * that are in the middle of their call.
   */
  @SuppressWarnings("ThreadPriorityCheck") // a waker needs a processor to get out of the way
  void awaitWakers() {
    while (state >= ONE_WAKER) {
      Thread.yield();
    }
  }
}

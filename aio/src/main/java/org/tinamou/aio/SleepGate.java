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
 */
final class SleepGate {
  private static final int AWAKE = 0;
  private static final int ASLEEP = 1;
  private static final int BEING_WOKEN = 2;
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(SleepGate.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("unused") // through STATE
  private volatile int state = AWAKE;

  /**
   * Home thread: announces that the loop is about to wait.
   *
   * @return false if a waker is still busy with an earlier announcement; the loop must not wait
   *     then
   */
  boolean announceSleep() {
    return STATE.compareAndSet(this, AWAKE, ASLEEP);
  }

  /** Home thread: the loop is awake again, whether it waited or found work before it did. */
  void awake() {
    STATE.compareAndSet(this, ASLEEP, AWAKE);
  }

  /**
   * Any thread, after it has published work: true if the caller has to wake the loop, and then to
   * call {@link #wakeDelivered()}.
   */
  boolean mustWake() {
    return state == ASLEEP && STATE.compareAndSet(this, ASLEEP, BEING_WOKEN);
  }

  /** The caller for whom {@link #mustWake()} was true has woken the loop. */
  void wakeDelivered() {
    state = AWAKE;
  }

  /**
   * Home thread, before the poller is closed: waits out a waker that is in the middle of its call.
   */
  void awaitWakers() {
    while (state == BEING_WOKEN) {
      Thread.onSpinWait();
    }
  }
}

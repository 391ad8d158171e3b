package org.tinamou.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Whether a mutex is held, and who waits for it, apart from what waiting means. Any thread; never
 * waits longer than another thread needs for a few instructions.
 *
 * @param <W> a place in the queue
 */
final class MutexWord<W> {
  private static final int FREE = 0;
  private static final int HELD = 1;
  private static final int CONTENDED = 2;
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(MutexWord.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final ReentrantLock queueLock = new ReentrantLock();
  private final ArrayDeque<W> waiters = new ArrayDeque<>(0);

  @SuppressWarnings("unused") // through STATE
  private volatile int state = FREE;

  /** Takes the mutex if it is free. */
  boolean tryAcquire() {
    return STATE.compareAndSet(this, FREE, HELD);
  }

  /**
   * Takes the mutex, or queues the waiter, to whom some later {@link #release} gives it.
   *
   * @return whether the mutex was taken
   */
  boolean acquireOrQueue(W waiter) {
    queueLock.lock();
    try {
      if ((int) STATE.getAndSet(this, CONTENDED) == FREE) {
        // Nobody is queued on a free mutex; the next release notices that and resets the state.
        return true;
      }
      waiters.add(waiter);
      return false;
    } finally {
      queueLock.unlock();
    }
  }

  /** Gives the mutex to the longest waiter, which is returned, or frees it. */
  @Nullable W release() {
    if (STATE.compareAndSet(this, HELD, FREE)) {
      return null;
    }
    queueLock.lock();
    try {
      W next = waiters.poll();
      if (next == null) {
        state = FREE;
      }
      return next;
    } finally {
      queueLock.unlock();
    }
  }
}

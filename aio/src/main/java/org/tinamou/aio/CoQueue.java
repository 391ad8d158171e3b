package org.tinamou.aio;

import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Coroutines that wait for somebody to let them go on, in the order in which they came: a condition
 * variable. A wake-up lets exactly one go and is not remembered if nobody waits, so the condition
 * is checked under the mutex, in a loop.
 */
public final class CoQueue {
  private final String waitReason;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<CoWaiter> waiters = new ArrayDeque<>(0);

  /**
   * An empty queue.
   *
   * @param name for dumps: what the coroutines wait for
   */
  public CoQueue(String name) {
    this.waitReason = name;
  }

  /**
   * Joins the queue, releases the mutex, waits to be let go, and takes the mutex again.
   *
   * @param mutex held by the caller
   */
  @InCoroutine
  public void await(CoMutex mutex) {
    CoWaiter waiter = enqueue();
    mutex.unlock();
    waiter.await(waitReason);
    mutex.lock();
  }

  /**
   * Joins the queue and waits to be let go. For conditions that only coroutines of one loop touch:
   * nothing can change between the check and the wait.
   */
  @InCoroutine
  public void await() {
    enqueue().await(waitReason);
  }

  /**
   * Joins the queue and waits to be let go, unless the condition holds by then. For conditions that
   * other threads make true before they wake the queue: the condition is checked after joining, so
   * one of the two sees the other.
   */
  @InCoroutine
  public void awaitUnless(BooleanSupplier condition) {
    CoWaiter waiter = enqueue();
    if (condition.getAsBoolean() && withdraw(waiter)) {
      return;
    }
    waiter.await(waitReason);
  }

  /** Leaves the queue; false if it was let go already. */
  private boolean withdraw(CoWaiter waiter) {
    lock.lock();
    try {
      return waiters.remove(waiter);
    } finally {
      lock.unlock();
    }
  }

  private CoWaiter enqueue() {
    CoWaiter waiter = new CoWaiter(false);
    lock.lock();
    try {
      waiters.add(waiter);
    } finally {
      lock.unlock();
    }
    return waiter;
  }

  /**
   * Lets the longest waiter go.
   *
   * @return whether there was one
   */
  @AnyThread
  public boolean wakeOne() {
    CoWaiter first = poll();
    if (first == null) {
      return false;
    }
    first.grant();
    return true;
  }

  /** Lets everybody go who waits now. */
  @AnyThread
  public void wakeAll() {
    CoWaiter[] all;
    lock.lock();
    try {
      all = waiters.toArray(CoWaiter[]::new);
      waiters.clear();
    } finally {
      lock.unlock();
    }
    for (CoWaiter waiter : all) {
      waiter.grant();
    }
  }

  private @Nullable CoWaiter poll() {
    lock.lock();
    try {
      return waiters.poll();
    } finally {
      lock.unlock();
    }
  }

  @AnyThread
  public boolean isEmpty() {
    lock.lock();
    try {
      return waiters.isEmpty();
    } finally {
      lock.unlock();
    }
  }
}

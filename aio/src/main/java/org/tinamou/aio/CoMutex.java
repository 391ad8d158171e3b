package org.tinamou.aio;

import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;

/**
 * Mutual exclusion that may be held across a park. First come, first served: unlocking hands the
 * mutex to the longest waiter. Not reentrant; coroutines of any loops may share it; it stays with
 * the coroutine that locked it, wherever that moves.
 */
public final class CoMutex {
  private final String name;
  private final String waitReason;
  private final MutexWord<CoWaiter> word = new MutexWord<>();
  private volatile @Nullable Coroutine holder;

  /**
   * A free mutex.
   *
   * @param name for dumps, e.g. "qcow2 metadata of disk0"
   */
  public CoMutex(String name) {
    this.name = name;
    this.waitReason = "mutex " + name;
  }

  /** Waits until the mutex is the caller's. */
  @InCoroutine
  public void lock() {
    Coroutine self = Coroutine.current();
    Check.state(holder != self, "%s already holds mutex %s", self, name);
    pause(self, LoopHooks.Point.BEFORE_LOCK);
    if (!word.tryAcquire()) {
      CoWaiter waiter = new CoWaiter(true);
      if (!word.acquireOrQueue(waiter)) {
        // Whoever hands it over writes down who holds it.
        waiter.await(waitReason);
        return;
      }
    }
    holder = self;
  }

  /** Takes the mutex if nobody holds it. */
  @InCoroutine
  public boolean tryLock() {
    Coroutine self = Coroutine.current();
    boolean locked = word.tryAcquire();
    if (locked) {
      holder = self;
    }
    return locked;
  }

  /** Gives the mutex to the longest waiter, or frees it. Only its holder may. */
  @InCoroutine
  public void unlock() {
    Coroutine self = Coroutine.current();
    Check.state(holder == self, "%s does not hold mutex %s: %s does", self, name, holder);
    holder = null;
    CoWaiter next = word.release();
    if (next != null) {
      holder = next.coroutine;
      next.grant();
    }
    pause(self, LoopHooks.Point.AFTER_UNLOCK);
  }

  /** Runs the body with the mutex held. */
  @InCoroutine
  public void run(Runnable body) {
    lock();
    try {
      body.run();
    } finally {
      unlock();
    }
  }

  /** Who holds it, or null; exact only for the holder itself. */
  @AnyThread
  public @Nullable Coroutine holder() {
    return holder;
  }

  static void pause(Coroutine self, LoopHooks.Point point) {
    if (self.context().hooks().yieldAt(point)) {
      Coroutine.yieldNow();
    }
  }

  @Override
  public String toString() {
    Coroutine owner = holder;
    return "mutex " + name + (owner == null ? "" : " held by " + owner.name());
  }
}

package org.tinamou.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;

/**
 * Mutual exclusion that may be held across a park. First come, first served: unlocking hands the
 * mutex to the longest waiter. Not reentrant; coroutines of any loops may share it; it stays with
 * the coroutine that locked it, wherever that moves.
 */
public final class CoMutex {
  private static final int FREE = 0;
  private static final int HELD = 1;
  private static final int CONTENDED = 2;
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(CoMutex.class, "state", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final String name;
  private final String waitReason;
  private final ReentrantLock queueLock = new ReentrantLock();
  private final ArrayDeque<CoWaiter> waiters = new ArrayDeque<>(0);

  @SuppressWarnings("unused") // through STATE
  private volatile int state = FREE;

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
    if (!STATE.compareAndSet(this, FREE, HELD)) {
      CoWaiter waiter = enqueueUnlessFree();
      if (waiter != null) {
        // Whoever hands it over writes down who holds it.
        waiter.await(waitReason);
        return;
      }
    }
    holder = self;
  }

  /** A place in the queue, or null if the mutex became the caller's meanwhile. */
  private @Nullable CoWaiter enqueueUnlessFree() {
    queueLock.lock();
    try {
      if ((int) STATE.getAndSet(this, CONTENDED) == FREE) {
        // Nobody can be queued on a free mutex; the next unlock notices that and resets the state.
        return null;
      }
      CoWaiter waiter = new CoWaiter(true);
      waiters.add(waiter);
      return waiter;
    } finally {
      queueLock.unlock();
    }
  }

  /** Takes the mutex if nobody holds it. */
  @InCoroutine
  public boolean tryLock() {
    Coroutine self = Coroutine.current();
    boolean locked = STATE.compareAndSet(this, FREE, HELD);
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
    if (!STATE.compareAndSet(this, HELD, FREE)) {
      CoWaiter next = nextWaiter();
      if (next != null) {
        holder = next.coroutine;
        next.grant();
      }
    }
    pause(self, LoopHooks.Point.AFTER_UNLOCK);
  }

  private @Nullable CoWaiter nextWaiter() {
    queueLock.lock();
    try {
      CoWaiter next = waiters.poll();
      if (next == null) {
        state = FREE;
      }
      return next;
    } finally {
      queueLock.unlock();
    }
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

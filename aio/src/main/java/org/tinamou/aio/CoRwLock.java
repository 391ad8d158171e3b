package org.tinamou.aio;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Check;

/**
 * Many readers or one writer, may be held across a park. First come, first served: a reader that
 * comes after a waiting writer waits behind it, so neither side starves. Not reentrant.
 */
public final class CoRwLock {
  private final String name;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<CoWaiter> waiters = new ArrayDeque<>(0);
  private int readers;
  private @Nullable Coroutine writer;

  public CoRwLock(String name) {
    this.name = name;
  }

  /** Waits until the caller may read. */
  @InCoroutine
  public void readLock() {
    acquire(false);
  }

  /** Waits until the caller alone may write. */
  @InCoroutine
  public void writeLock() {
    acquire(true);
  }

  private void acquire(boolean exclusive) {
    Coroutine self = Coroutine.current();
    CoMutex.pause(self, LoopHooks.Point.BEFORE_LOCK);
    CoWaiter waiter = null;
    lock.lock();
    try {
      Check.state(writer != self, "%s already holds %s for writing", self, this);
      if (waiters.isEmpty() && isFreeFor(exclusive)) {
        admit(self, exclusive);
      } else {
        waiter = new CoWaiter(exclusive);
        waiters.add(waiter);
      }
    } finally {
      lock.unlock();
    }
    if (waiter != null) {
      waiter.await((exclusive ? "write lock " : "read lock ") + name);
    }
  }

  private boolean isFreeFor(boolean exclusive) {
    return writer == null && (!exclusive || readers == 0);
  }

  private void admit(Coroutine coroutine, boolean exclusive) {
    if (exclusive) {
      writer = coroutine;
    } else {
      readers++;
    }
  }

  /** Ends the caller's reading or writing. */
  @InCoroutine
  public void unlock() {
    Coroutine self = Coroutine.current();
    List<CoWaiter> granted;
    lock.lock();
    try {
      if (writer == self) {
        writer = null;
      } else {
        Check.state(readers > 0, "%s does not hold %s", self, this);
        readers--;
      }
      granted = admitWaiters();
    } finally {
      lock.unlock();
    }
    granted.forEach(CoWaiter::grant);
    CoMutex.pause(self, LoopHooks.Point.AFTER_UNLOCK);
  }

  private List<CoWaiter> admitWaiters() {
    List<CoWaiter> granted = new ArrayList<>();
    for (CoWaiter next = waiters.peek(); next != null; next = waiters.peek()) {
      if (!isFreeFor(next.exclusive)) {
        break;
      }
      waiters.remove();
      admit(next.coroutine, next.exclusive);
      granted.add(next);
    }
    return granted;
  }

  /**
   * Turns the caller's read lock into a write lock. Others may have written in between: what was
   * read before must be read again. The caller comes before everybody who waits.
   */
  @InCoroutine
  public void upgrade() {
    Coroutine self = Coroutine.current();
    CoWaiter waiter = null;
    lock.lock();
    try {
      Check.state(writer == null && readers > 0, "%s does not hold %s for reading", self, this);
      readers--;
      if (readers == 0) {
        writer = self;
      } else {
        waiter = new CoWaiter(true);
        waiters.addFirst(waiter);
      }
    } finally {
      lock.unlock();
    }
    if (waiter != null) {
      waiter.await("write lock " + name);
    }
  }

  /** Turns the caller's write lock into a read lock; nobody can write in between. */
  @InCoroutine
  public void downgrade() {
    Coroutine self = Coroutine.current();
    List<CoWaiter> granted;
    lock.lock();
    try {
      Check.state(writer == self, "%s does not hold %s for writing", self, this);
      writer = null;
      readers++;
      granted = admitWaiters();
    } finally {
      lock.unlock();
    }
    granted.forEach(CoWaiter::grant);
  }

  @Override
  public String toString() {
    return "lock " + name;
  }
}

package org.tinamou.tools.img;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/**
 * What is brought in any order and done in that of its numbers, one after the other: whoever brings
 * what comes next does it, and what others have brought meanwhile, while these go on.
 */
final class WritingOrder<T> {
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Long, T> brought = new HashMap<>();
  private long next;
  private boolean isBusy;

  /**
   * Brings something; numbers begin with 0, and none is left out.
   *
   * @return what the caller has to do, to the end, and then asks for more; null if nothing
   */
  @AnyThread
  @Nullable T bring(long number, T item) {
    lock.lock();
    try {
      brought.put(number, item);
      return isBusy ? null : takeNext();
    } finally {
      lock.unlock();
    }
  }

  /** One is done; what the same caller has to do now, or null. */
  @AnyThread
  @Nullable T done() {
    lock.lock();
    try {
      next++;
      return takeNext();
    } finally {
      lock.unlock();
    }
  }

  private @Nullable T takeNext() {
    T item = brought.remove(next);
    isBusy = item != null;
    return item;
  }
}

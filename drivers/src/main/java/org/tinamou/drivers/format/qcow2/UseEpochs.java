package org.tinamou.drivers.format.qcow2;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.tinamou.aio.CoQueue;

/**
 * Keeps clusters from being given away while somebody still reads or writes them: whoever found a
 * cluster in the tables is counted, and who wants to reuse one that left the tables waits for all
 * that were counted before.
 */
final class UseEpochs {
  private final AtomicIntegerArray users = new AtomicIntegerArray(2);
  private final CoQueue idle = new CoQueue("users of clusters");
  private int current;

  /** Counts the caller, which holds the metadata lock; the result is for {@link #leave}. */
  int enter() {
    users.incrementAndGet(current);
    return current;
  }

  /** The caller has done with its clusters. It must not have waited for the metadata lock since. */
  void leave(int epoch) {
    if (users.decrementAndGet(epoch) == 0) {
      idle.wakeAll();
    }
  }

  /** Waits until all have left that entered before. The caller holds the metadata lock. */
  void awaitEarlier() {
    int earlier = current;
    current = 1 - current;
    while (users.get(earlier) != 0) {
      idle.awaitUnless(() -> users.get(earlier) == 0);
    }
  }
}

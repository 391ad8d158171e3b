package org.tinamou.block;

import java.util.concurrent.atomic.AtomicInteger;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Check;

/**
 * Work under way on one node or backend. Counts down before it wakes whoever drains, so that a
 * drain that looks once more sees it.
 */
final class InFlight {
  private final BlockGraph graph;
  private final AtomicInteger count = new AtomicInteger();

  InFlight(BlockGraph graph) {
    this.graph = graph;
  }

  @AnyThread
  void begin() {
    count.incrementAndGet();
  }

  @AnyThread
  void end() {
    int left = count.decrementAndGet();
    Check.state(left >= 0, "work ended twice");
    if (left == 0) {
      graph.kick();
    }
  }

  @AnyThread
  int count() {
    return count.get();
  }

  @AnyThread
  boolean isIdle() {
    return count.get() == 0;
  }
}

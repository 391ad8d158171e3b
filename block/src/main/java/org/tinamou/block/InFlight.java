package org.tinamou.block;

import java.util.concurrent.atomic.AtomicInteger;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Check;

/**
 * Work under way on one node or backend. Counts down before it wakes whoever drains, so that a
 * drain that looks once more sees it.
 *
 * <p>Whoever drains does so on the main loop, so what its coroutines do is counted there without
 * atomic instructions. What begins on one loop and ends on another leaves the two parts of the sum
 * off by one each.
 */
final class InFlight {
  private final BlockGraph graph;
  private final AioContext main;
  private final AtomicInteger elsewhere = new AtomicInteger();
  private int onMain;

  InFlight(BlockGraph graph) {
    this.graph = graph;
    this.main = graph.main();
  }

  @AnyThread
  void begin() {
    if (Coroutine.isRunningOn(main)) {
      onMain++;
    } else {
      elsewhere.incrementAndGet();
    }
  }

  @AnyThread
  void end() {
    if (isLastAfterCountingDown()) {
      graph.kick();
    }
  }

  /** True if that cannot be told here. */
  private boolean isLastAfterCountingDown() {
    if (Coroutine.isRunningOn(main)) {
      onMain--;
      return isIdle();
    }
    elsewhere.decrementAndGet();
    return true;
  }

  /** Of any thread but the main loop's, a guess. */
  @AnyThread
  int count() {
    return elsewhere.get() + onMain;
  }

  @HomeThread
  boolean isIdle() {
    int count = count();
    Check.state(count >= 0, "work ended twice");
    return count == 0;
  }
}

package org.tinamou.block;

import org.tinamou.aio.AnyThread;
import org.tinamou.block.stats.IoKind;

/** Hears of every request of a backend that failed. Any loop; short, never waits. */
@FunctionalInterface
public interface RequestErrors {
  /**
   * A request has failed.
   *
   * @param action REPORT, IGNORE or STOP
   */
  @AnyThread
  void failed(IoKind kind, ErrorPolicy action, BlockException cause);
}

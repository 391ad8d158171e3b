package org.tinamou.daemon.command;

import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;

/**
 * A part of a transaction: all are prepared in turn; then all commit, or those that were prepared
 * abort, the last one first; then all that were prepared are cleaned up. Main loop.
 */
interface TransactionStep {
  /**
   * Does all that can fail.
   *
   * @throws BlockException to refuse; {@link #abort} is called all the same
   */
  @InCoroutine
  void prepare() throws BlockException;

  /** It is certain now. */
  @InCoroutine
  default void commit() {}

  /** Undoes what was prepared, as far as that came. */
  @InCoroutine
  default void abort() {}

  /** Afterwards, however it ended. */
  @InCoroutine
  default void clean() {}

  /** The step alone. */
  @InCoroutine
  default void prepareAndCommit() throws BlockException {
    boolean good = false;
    try {
      prepare();
      good = true;
      commit();
    } finally {
      if (!good) {
        abort();
      }
      clean();
    }
  }
}

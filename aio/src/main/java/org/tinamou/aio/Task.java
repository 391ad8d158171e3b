package org.tinamou.aio;

import org.jspecify.annotations.Nullable;

/**
 * Something queued for one turn on a loop; linked into the queue through itself, so queuing
 * allocates nothing. A task is in at most one queue at a time: each kind keeps its own flag for
 * that.
 */
abstract sealed class Task permits BottomHalf, Coroutine.Resumption, TaskQueue.Closed {
  /** Belongs to whoever holds the task: the thread that pushes it, then the loop that took it. */
  @Nullable Task next;

  /**
   * Runs the task on the home thread of {@code context}. The task is already unlinked; the first
   * thing it does is to clear its flag, after which any thread may queue it again.
   */
  abstract void runOn(AioContext context);
}

package org.tinamou.jobs;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;

/** What the work of a job does on the main loop. */
@FunctionalInterface
public interface OnMain<T extends @Nullable Object> {
  @InCoroutine
  T run() throws BlockException;
}

package org.tinamou.jobs;

import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;

/** Has nodes refuse to be written to, or no longer, with whatever was opened with them. */
@FunctionalInterface
public interface ReadOnlySwitch {
  /**
   * Main loop.
   *
   * @throws BlockException if the node cannot be so, or somebody writes to it
   */
  @InCoroutine
  void setReadOnly(BlockNode node, boolean readOnly) throws BlockException;
}

package org.tinamou.drivers;

import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;

/** A driver that users may give further children, or take some away from. */
public interface ChangeableChildren extends BlockDriver {
  /** Attaches one more child; it gets a name of its own. Drained, main loop. */
  @InCoroutine
  void addChild(BlockNode child) throws BlockException;

  /**
   * Detaches a child. Drained, main loop.
   *
   * @throws BlockException if it cannot do without it
   */
  @InCoroutine
  void removeChild(Edge child) throws BlockException;
}

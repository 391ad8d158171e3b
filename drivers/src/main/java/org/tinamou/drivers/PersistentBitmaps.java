package org.tinamou.drivers;

import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;

/**
 * A driver whose image keeps dirty bitmaps: those of its node that are persistent when it is closed
 * are stored, and are the node's again when it is next opened.
 */
public interface PersistentBitmaps extends BlockDriver {
  /** Whether this image can, as others of its format. */
  @AnyThread
  boolean keepsBitmaps();

  /**
   * Refuses a bitmap that could not be stored. Main loop.
   *
   * @throws BlockException with the reason as the user is to read it
   */
  @HomeThread
  void checkStorable(String name, long granularityBytes) throws BlockException;
}

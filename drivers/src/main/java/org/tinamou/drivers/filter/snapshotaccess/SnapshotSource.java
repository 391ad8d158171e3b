package org.tinamou.drivers.filter.snapshotaccess;

import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockStatus;

/** A driver that keeps, beside the data it shows, what they were at some point in time. */
public interface SnapshotSource extends BlockDriver {
  /** Fills the buffer with old data. */
  @InCoroutine
  void readSnapshot(long offsetBytes, IoVector buffer) throws BlockException;

  /** The status of the first old bytes of the range. */
  @InCoroutine
  BlockStatus snapshotStatus(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException;

  /** Nobody will ask for these old data any more. */
  @InCoroutine
  void discardSnapshot(long offsetBytes, long lengthBytes) throws BlockException;
}

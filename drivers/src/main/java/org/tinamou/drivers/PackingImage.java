package org.tinamou.drivers;

import java.lang.foreign.MemorySegment;
import org.tinamou.aio.InCoroutine;

/** An image whose clusters can be packed before it is their turn to be written. */
public interface PackingImage {
  /**
   * Packs clusters, while others are packed too. A compressed write of one of them, from the same
   * memory to the same place, takes what this made; every one is written so once, or none that
   * starts there.
   *
   * @param offsetBytes the start of a cluster
   * @param bytes off-heap memory, which is not changed until it has been written
   */
  @InCoroutine
  void packAhead(long offsetBytes, MemorySegment bytes);
}

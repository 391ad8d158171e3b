package org.tinamou.drivers;

import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;

/** A driver whose image can be made smaller in its own file. */
public interface CompactableImage extends BlockDriver {
  /**
   * What compacting has done, or would do.
   *
   * @param bytesBefore the file's length before
   * @param bytesAfter the file's length after; of one that is only tried, the least it can become
   * @param leakedClusters that nothing referred to
   * @param zeroClusters that read as zeroes and took space
   * @param movedClusters that lie further in front now; 0 if it was only tried
   */
  record Compaction(
      long bytesBefore,
      long bytesAfter,
      long leakedClusters,
      long zeroClusters,
      long movedClusters) {}

  /** Told how many bytes of how many have been looked at or moved. */
  @FunctionalInterface
  interface Watcher {
    void progress(String phase, long done, long total);
  }

  /**
   * Gives space back: drops what nothing refers to and what reads as zeroes, moves everything to
   * the front and cuts the file. Whatever interrupts it, the image holds the same data afterwards.
   * The image was opened to be checked, is used by nobody else meanwhile and has to be closed
   * afterwards.
   *
   * @param tryOnly whether to find out only what it would do
   * @throws BlockException if the image is damaged; nothing has changed then
   */
  @InCoroutine
  Compaction compact(boolean tryOnly, Watcher watcher) throws BlockException;
}

package org.tinamou.drivers.format.qcow2;

import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.drivers.protocol.file.FileNode;

/**
 * Whether an image's clusters were allocated before anything was written to them. Only then is it
 * worth while to ask the host about holes below allocated clusters.
 */
final class UnwrittenClusters {
  private UnwrittenClusters() {}

  /**
   * Whether many more clusters are counted than the host has blocks for. Takes no lock. Of an image
   * whose data is elsewhere too this asks about its own file, as the reference does.
   */
  @InCoroutine
  static boolean areLikely(Qcow2Image image) throws BlockException {
    Edge file = image.file();
    if (!(file.child().driverOrNull() instanceof FileNode host)) {
      return false;
    }
    Geometry geometry = image.geometry();
    long onHost = host.file().allocatedBytes() / geometry.clusterBytes();
    long threshold = Math.max(onHost * 10 / 9, onHost + 2);
    long clusters = geometry.clustersOf(file.lengthBytes());
    long counted = 0;
    for (long cluster = 0; cluster < clusters; cluster++) {
      if (counted + clusters - cluster < threshold) {
        return false;
      }
      if (image.refcounts().get(cluster) != 0 && ++counted >= threshold) {
        return true;
      }
    }
    return false;
  }
}

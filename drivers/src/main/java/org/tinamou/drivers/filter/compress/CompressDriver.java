package org.tinamou.drivers.filter.compress;

import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.Edge;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.filter.FilterDriver;

/** Adds the wish for compression to every write. */
public final class CompressDriver extends FilterDriver {
  CompressDriver(Edge file) {
    super(file);
  }

  @Override
  public String formatName() {
    return "compress";
  }

  /** Clusters are compressed as a whole: requests for parts are filled up to whole ones. */
  @Override
  public BlockLimits limits() {
    if (file().child().driverOrNull() instanceof ImageDescription.Source source) {
      int cluster = Math.toIntExact(source.description().clusterBytes());
      return new BlockLimits(cluster, 1, 0, 0, cluster, 0, cluster);
    }
    return super.limits();
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    super.write(offsetBytes, buffer, flags | RequestFlags.COMPRESSED);
  }
}

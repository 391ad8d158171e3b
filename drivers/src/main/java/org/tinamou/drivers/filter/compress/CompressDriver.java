package org.tinamou.drivers.filter.compress;

import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.RequestFlags;
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

  @Override
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    super.write(offsetBytes, buffer, flags | RequestFlags.COMPRESSED);
  }
}

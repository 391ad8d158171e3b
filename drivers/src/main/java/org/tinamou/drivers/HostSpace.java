package org.tinamou.drivers;

import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.drivers.filter.blkdebug.BlkdebugDriver;
import org.tinamou.drivers.filter.blkverify.BlkverifyDriver;
import org.tinamou.drivers.protocol.file.FileNode;
import org.tinamou.drivers.protocol.nullblock.NullDriver;

/** What images take on the host. */
public final class HostSpace {
  private HostSpace() {}

  /**
   * What a node takes in bytes, with all below it that is its own, which a backing image is not; -1
   * if nobody knows.
   */
  @InCoroutine
  public static long allocatedBytes(BlockNode node) throws BlockException {
    BlockDriver driver = node.driverOrNull();
    if (driver instanceof FileNode file) {
      return file.file().allocatedBytes();
    }
    if (driver instanceof NullDriver) {
      return 0;
    }
    if (driver instanceof BlkdebugDriver || driver instanceof BlkverifyDriver) {
      return -1;
    }
    long sum = 0;
    boolean some = false;
    for (Edge edge : node.children()) {
      if (!edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
        long below = allocatedBytes(edge.child());
        if (below < 0) {
          return -1;
        }
        some = true;
        sum += below;
      }
    }
    return some ? sum : -1;
  }
}

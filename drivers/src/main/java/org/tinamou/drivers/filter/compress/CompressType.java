package org.tinamou.drivers.filter.compress;

import java.util.EnumSet;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.OptionException;

/** {@code driver=compress}: {@code file}. */
public final class CompressType implements DriverType {
  @Override
  public String name() {
    return "compress";
  }

  @Override
  public boolean isFilter() {
    return true;
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    Edge file =
        opening.childOrNull(
            "file",
            opening.fileName("file"),
            true,
            EnumSet.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
            Permission.CONSISTENT_READ,
            Permission.ALL);
    if (file == null) {
      throw new BlockException(Errno.EINVAL, "A block device must be specified for \"file\"");
    }
    if ((file.writeFlags() & RequestFlags.COMPRESSED) == 0) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "Compression is not supported for underlying format: "
              + file.child().driver().formatName());
    }
    return new CompressDriver(file);
  }
}

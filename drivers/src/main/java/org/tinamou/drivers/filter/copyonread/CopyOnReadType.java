package org.tinamou.drivers.filter.copyonread;

import java.util.EnumSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.OptionException;

/** {@code driver=copy-on-read}: {@code bottom}, {@code file}. */
public final class CopyOnReadType implements DriverType {
  @Override
  public String name() {
    return "copy-on-read";
  }

  @Override
  public boolean isFilter() {
    return true;
  }

  @Override
  public List<String> significantOptions() {
    return List.of("bottom");
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    BlockNode node = opening.node();
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
    String name = opening.options().stringOrNull("bottom");
    @Nullable BlockNode bottom = name == null ? null : node.graph().node(name);
    if (name != null && bottom == null) {
      throw new BlockException(Errno.ENODEV, "Bottom node '" + name + "' not found");
    }
    if (bottom != null) {
      node.graph().reference(bottom);
    }
    return new CopyOnReadDriver(file, bottom);
  }
}

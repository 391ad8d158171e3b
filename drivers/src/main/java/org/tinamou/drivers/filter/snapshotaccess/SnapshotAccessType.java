package org.tinamou.drivers.filter.snapshotaccess;

import java.util.EnumSet;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.OptionException;

/** {@code driver=snapshot-access}: {@code file}. */
public final class SnapshotAccessType implements DriverType {
  @Override
  public String name() {
    return "snapshot-access";
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    Edge file =
        opening.child(
            "file", EnumSet.of(EdgeRole.DATA, EdgeRole.PRIMARY), Permission.NONE, Permission.ALL);
    return new SnapshotAccessDriver(file);
  }
}

package org.tinamou.drivers.filter.throttle;

import java.util.EnumSet;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.OptionException;

/** {@code driver=throttle}: {@code throttle-group}, {@code file}. */
public final class ThrottleType implements DriverType {
  private final ObjectRegistry objects;

  /**
   * The driver of a program.
   *
   * @param objects where it finds the groups that options name
   */
  public ThrottleType(ObjectRegistry objects) {
    this.objects = objects;
  }

  @Override
  public String name() {
    return "throttle";
  }

  @Override
  public boolean isFilter() {
    return true;
  }

  @Override
  public List<String> significantOptions() {
    return List.of("throttle-group");
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
    String name = opening.options().stringOrNull("throttle-group");
    if (name == null) {
      throw new BlockException(Errno.EINVAL, "Please specify a throttle group");
    }
    if (!(objects.find(name) instanceof ThrottleGroupObject named)) {
      throw new BlockException(Errno.EINVAL, "Throttle group '" + name + "' does not exist");
    }
    AioContext context = opening.node().context();
    ThrottleGroup group = named.group(context.clocks());
    return new ThrottleDriver(file, group.join(opening.node().name(), context));
  }
}

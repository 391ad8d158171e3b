package org.tinamou.drivers.format.raw;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.OptionException;

/** {@code driver=raw}: {@code offset}, {@code size}, {@code file}. */
public final class RawType implements DriverType {
  @Override
  public String name() {
    return "raw";
  }

  @Override
  public List<String> significantOptions() {
    return List.of("offset", "size");
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    @Nullable Long offset = opening.options().bytesOrNull("offset");
    @Nullable Long size = opening.options().bytesOrNull("size");
    boolean window = offset != null || size != null;
    Edge file =
        opening.child("file", RawFormat.roles(window), Permission.CONSISTENT_READ, Permission.ALL);
    return RawFormat.over(
        file,
        offset == null ? 0 : offset,
        size == null ? RawFormat.WHOLE : size,
        opening.isProbed() ? new HeaderGuard(opening.probe()) : null);
  }
}

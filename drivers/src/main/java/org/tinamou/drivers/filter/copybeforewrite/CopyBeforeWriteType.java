package org.tinamou.drivers.filter.copybeforewrite;

import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.drivers.copy.BlockCopy;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/**
 * {@code driver=copy-before-write}: {@code file}, {@code target}, {@code bitmap}, {@code
 * on-cbw-error}, {@code cbw-timeout}, {@code min-cluster-size}.
 */
public final class CopyBeforeWriteType implements DriverType {
  @Override
  public String name() {
    return "copy-before-write";
  }

  @Override
  public boolean isFilter() {
    return true;
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    OptionReader options = opening.options();
    BlockNode node = opening.node();
    OptionReader bitmapOptions = options.objectOrNull("bitmap");
    DirtyBitmap bitmap = bitmapOptions == null ? null : find(node, bitmapOptions);
    String onError =
        options.wordOrNull("on-cbw-error", List.of("break-guest-write", "break-snapshot"));
    long timeoutSeconds = options.uint32("cbw-timeout", 0);
    CopySettings settings =
        new CopySettings(
            "break-snapshot".equals(onError),
            TimeUnit.SECONDS.toNanos(timeoutSeconds),
            minCluster(options),
            false,
            false,
            false);
    Edge file =
        opening.child(
            "file",
            EnumSet.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
            Permission.CONSISTENT_READ,
            Permission.ALL);
    Edge target =
        opening.child(
            "target",
            EnumSet.of(EdgeRole.DATA),
            Permission.CONSISTENT_READ,
            Permission.ALL & ~Permission.RESIZE);
    return CopyBeforeWriteDriver.open(node, file, target, bitmap, settings);
  }

  private static long minCluster(OptionReader options) throws BlockException, OptionException {
    Long bytes = options.sizeOrNull("min-cluster-size");
    if (bytes == null) {
      return BlockCopy.MIN_CLUSTER_BYTES;
    }
    if (Long.bitCount(bytes) != 1 || bytes > DirtyBitmap.MAX_GRANULARITY_BYTES) {
      throw new BlockException(Errno.EINVAL, "min-cluster-size needs to be a power of 2");
    }
    return Math.max(BlockCopy.MIN_CLUSTER_BYTES, bytes);
  }

  private static DirtyBitmap find(BlockNode node, OptionReader options)
      throws BlockException, OptionException {
    String nodeName = options.string("node");
    String bitmapName = options.string("name");
    @Nullable BlockNode holder = node.graph().node(nodeName);
    if (holder == null) {
      throw new BlockException(Errno.EINVAL, "Node '" + nodeName + "' not found");
    }
    DirtyBitmap bitmap = holder.bitmaps().find(bitmapName);
    if (bitmap == null) {
      throw new BlockException(Errno.EINVAL, "Dirty bitmap '" + bitmapName + "' not found");
    }
    return bitmap;
  }
}

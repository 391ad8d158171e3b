package org.tinamou.drivers.filter.blklogwrites;

import java.util.EnumSet;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code driver=blklogwrites}: {@code file}, {@code log}, {@code log-append}, and its sizes. */
public final class BlklogwritesType implements DriverType {
  private static final int DEFAULT_SECTOR_BYTES = 512;
  private static final long DEFAULT_SUPER_INTERVAL = 4096;
  private static final String SECTOR_SIZE = "log-sector-size";

  @Override
  public String name() {
    return "blklogwrites";
  }

  @Override
  public boolean isFilter() {
    return true;
  }

  @Override
  public BlockDriver open(NodeOpening opening) throws BlockException, OptionException {
    OptionReader options = opening.options();
    Edge file =
        opening.child(
            "file",
            EnumSet.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
            Permission.CONSISTENT_READ,
            Permission.ALL);
    Edge edge =
        opening.child(
            "log",
            EnumSet.of(EdgeRole.METADATA),
            Permission.CONSISTENT_READ,
            Permission.CONSISTENT_READ | Permission.WRITE_UNCHANGED);
    return new BlklogwritesDriver(opening.node(), file, edge, log(options, edge));
  }

  private static WriteLog log(OptionReader options, Edge edge)
      throws BlockException, OptionException {
    boolean append = options.bool("log-append", false);
    Long asked = options.sizeOrNull(SECTOR_SIZE);
    if (append && asked != null) {
      throw new BlockException(
          Errno.EINVAL, "log-append and " + SECTOR_SIZE + " are mutually exclusive");
    }
    long sector = asked == null ? DEFAULT_SECTOR_BYTES : asked;
    if (!LogSuper.isSectorSize(sector)) {
      throw new BlockException(
          Errno.EINVAL, "Invalid log sector size " + Long.toUnsignedString(sector));
    }
    long interval = options.uint64("log-super-update-interval", DEFAULT_SUPER_INTERVAL);
    if (interval == 0) {
      throw new BlockException(Errno.EINVAL, "Invalid log superblock update interval " + interval);
    }
    return append
        ? WriteLog.found(edge, (int) sector, interval)
        : WriteLog.empty(edge, (int) sector, interval);
  }
}

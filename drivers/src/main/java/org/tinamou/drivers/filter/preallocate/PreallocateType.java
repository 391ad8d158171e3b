package org.tinamou.drivers.filter.preallocate;

import java.util.EnumSet;
import org.tinamou.aio.AnyThread;
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

/** {@code driver=preallocate}: {@code prealloc-align}, {@code prealloc-size}, {@code file}. */
public final class PreallocateType implements DriverType {
  private static final int SECTOR_BYTES = 512;
  private static final long DEFAULT_ALIGN_BYTES = 1 << 20;
  private static final long DEFAULT_SIZE_BYTES = 128 << 20;

  @Override
  public String name() {
    return "preallocate";
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
    return new PreallocateDriver(file, sizes(opening.options()));
  }

  /** How much is reserved, as options say it or by default. */
  @AnyThread
  public static PreallocateDriver.Sizes sizes(OptionReader options)
      throws OptionException, BlockException {
    long align = size(options, "prealloc-align", DEFAULT_ALIGN_BYTES);
    long size = size(options, "prealloc-size", DEFAULT_SIZE_BYTES);
    if (align % SECTOR_BYTES != 0) {
      throw new BlockException(
          Errno.EINVAL,
          "prealloc-align parameter of preallocate filter is not aligned to " + SECTOR_BYTES);
    }
    return new PreallocateDriver.Sizes(Math.max(1, align), size);
  }

  private static long size(OptionReader options, String name, long fallback)
      throws OptionException {
    Long bytes = options.sizeOrNull(name);
    return bytes == null ? fallback : bytes;
  }
}

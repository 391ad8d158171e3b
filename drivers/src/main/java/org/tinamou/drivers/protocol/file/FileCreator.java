package org.tinamou.drivers.protocol.file;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.block.BlockException;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema;
import org.tinamou.qapi.OptionSchema.Option;
import org.tinamou.qapi.OptionValues;

/** Makes files for new images. */
public final class FileCreator {
  /** What can be said about a new file. */
  public static final OptionSchema OPTIONS =
      new OptionSchema(
          List.of(
              Option.size("size", "Virtual disk size"),
              Option.bool("nocow", "Turn off copy-on-write (valid only on btrfs)"),
              Option.string(
                  "preallocation", "Preallocation mode (allowed values: off, falloc, full)"),
              Option.size(
                  "extent_size_hint", "Extent size hint for the image file, 0 to disable")));

  private static final int PERMISSIONS = 0644;
  private static final int SECTOR_BYTES = 512;
  private static final long MAX_EXTENT_SIZE_HINT = 0xffff_ffffL;

  private FileCreator() {}

  /**
   * Makes an empty file of the wanted size, or empties an existing one. The size is rounded up to
   * whole sectors.
   *
   * @param name what messages call it
   * @param options checked against {@link #OPTIONS}
   */
  @InCoroutine
  public static void create(AioContext context, Path path, String name, OptionValues options)
      throws BlockException {
    create(context, path, name, options, true);
  }

  /** The same, of just the wanted size. */
  @InCoroutine
  public static void createExactly(AioContext context, Path path, String name, OptionValues options)
      throws BlockException {
    create(context, path, name, options, false);
  }

  private static void create(
      AioContext context, Path path, String name, OptionValues options, boolean wholeSectors)
      throws BlockException {
    long sizeBytes;
    PreallocationMode preallocation;
    try {
      long size = options.size("size", 0);
      sizeBytes = wholeSectors ? roundToSectors(size) : size;
      preallocation = preallocation(options.string("preallocation"));
      if (Long.compareUnsigned(options.size("extent_size_hint", 0), MAX_EXTENT_SIZE_HINT) > 0) {
        throw new BlockException(Errno.EINVAL, "Extent size hint is too large");
      }
    } catch (OptionException e) {
      throw new BlockException(Errno.EINVAL, e.getMessage());
    }
    int used = Permission.WRITE | Permission.RESIZE;
    int shared = Permission.ALL & ~Permission.RESIZE;
    FileDriver file = openOrMake(context, path, name, used, shared);
    try {
      file.announce(used, shared, name);
      if (file.kind() == HostFiles.Kind.REGULAR) {
        file.truncate(0, PreallocationMode.OFF);
      } else if (preallocation != PreallocationMode.OFF) {
        throw new BlockException(
            Errno.EOPNOTSUPP, "Unsupported preallocation mode '" + preallocation.text() + "'");
      }
      file.truncate(sizeBytes, preallocation);
    } finally {
      file.close();
    }
  }

  /** Rounds up as the reference does, which lets sizes near 2^63 run over and be refused later. */
  private static long roundToSectors(long sizeBytes) {
    return (sizeBytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
  }

  private static PreallocationMode preallocation(@Nullable String text) throws BlockException {
    if (text == null) {
      return PreallocationMode.OFF;
    }
    PreallocationMode mode = PreallocationMode.parse(text);
    if (mode == null) {
      throw new BlockException(Errno.EINVAL, "invalid parameter value: " + text);
    }
    return mode;
  }

  private static FileDriver openOrMake(
      AioContext context, Path path, String name, int used, int shared) throws BlockException {
    HostFiles files = context.hostFiles();
    try {
      int fd =
          context.callBlocking(
              () -> files.open(path, PERMISSIONS, OpenFlag.READ_WRITE, OpenFlag.CREATE));
      return FileDriver.adopt(
          context, fd, path, new FileOptions(false, CacheMode.WRITEBACK, used, shared));
    } catch (ErrnoException e) {
      throw BlockException.of(e.errno(), "Could not create '" + name + "'");
    }
  }
}

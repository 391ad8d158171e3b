package org.tinamou.daemon.export;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.nbd.server.NbdExport;
import org.tinamou.nbd.wire.Nbd;

/**
 * A backend as an export. While the backend's node is drained, requests wait in the backend; they
 * may come from any loop, so the node goes to another one without the export noticing.
 */
public final class BlockExport implements NbdExport {
  private static final int PREFETCH_BYTES = 1 << 20;
  private static final int PREFERRED_BYTES = 4096;

  private final BlockBackend backend;
  private final ExportSettings settings;
  private final List<String> contexts;

  /**
   * An export.
   *
   * @param backend the caller's; has the permissions that the settings need, and outlives the
   *     export
   */
  public BlockExport(BlockBackend backend, ExportSettings settings) {
    this.backend = backend;
    this.settings = settings;
    List<String> names = new ArrayList<>();
    names.add(Nbd.BASE_ALLOCATION);
    if (settings.allocationDepth()) {
      names.add(Nbd.ALLOCATION_DEPTH);
    }
    for (DirtyBitmap each : settings.bitmaps()) {
      names.add(Nbd.DIRTY_BITMAP + each.name());
    }
    this.contexts = List.copyOf(names);
  }

  @Override
  public AioContext context() {
    return backend.context();
  }

  @Override
  public String name() {
    return settings.name();
  }

  @Override
  public String description() {
    return settings.description();
  }

  @Override
  public long sizeBytes() {
    try {
      return Math.max(0, backend.lengthBytes() - settings.offsetBytes());
    } catch (BlockException e) {
      return 0;
    }
  }

  @Override
  public boolean isReadOnly() {
    return settings.readOnly();
  }

  @Override
  public boolean isMultiConnection() {
    return settings.multiConnection();
  }

  @Override
  public int minimumBlockBytes() {
    return 1;
  }

  @Override
  public int preferredBlockBytes() {
    return PREFERRED_BYTES;
  }

  @Override
  public List<String> contexts() {
    return contexts;
  }

  @Override
  public void read(long offsetBytes, IoVector buffer) throws ErrnoException {
    try {
      backend.read(offsetBytes + settings.offsetBytes(), buffer, RequestFlags.NONE);
    } catch (BlockException e) {
      throw told(e);
    }
  }

  @Override
  public void write(long offsetBytes, IoVector buffer, boolean forceUnitAccess)
      throws ErrnoException {
    try {
      backend.write(offsetBytes + settings.offsetBytes(), buffer, access(forceUnitAccess));
    } catch (BlockException e) {
      throw told(e);
    }
  }

  private static int access(boolean forceUnitAccess) {
    return forceUnitAccess ? RequestFlags.FORCE_UNIT_ACCESS : RequestFlags.NONE;
  }

  private static ErrnoException told(BlockException failure) {
    return new ErrnoException(failure.errno(), String.valueOf(failure.getMessage()), failure);
  }

  @Override
  public void flush() throws ErrnoException {
    try {
      backend.flush();
    } catch (BlockException e) {
      throw told(e);
    }
  }

  @Override
  public void trim(long offsetBytes, long lengthBytes, boolean forceUnitAccess)
      throws ErrnoException {
    try {
      backend.discard(offsetBytes + settings.offsetBytes(), lengthBytes);
      if (forceUnitAccess) {
        backend.flush();
      }
    } catch (BlockException e) {
      throw told(e);
    }
  }

  @Override
  public void writeZeroes(
      long offsetBytes,
      long lengthBytes,
      boolean mayUnmap,
      boolean onlyIfFast,
      boolean forceUnitAccess)
      throws ErrnoException {
    int flags =
        access(forceUnitAccess)
            | (mayUnmap ? RequestFlags.MAY_UNMAP : 0)
            | (onlyIfFast ? RequestFlags.NO_FALLBACK : 0);
    try {
      if (!backend.writeZeroes(offsetBytes + settings.offsetBytes(), lengthBytes, flags)) {
        throw new ErrnoException(Errno.EOPNOTSUPP, "write zeroes");
      }
    } catch (BlockException e) {
      throw told(e);
    }
  }

  @Override
  public void cache(long offsetBytes, long lengthBytes) throws ErrnoException {
    long start = offsetBytes + settings.offsetBytes();
    try (Arena arena = Arena.ofShared()) {
      IoVector buffer =
          IoVector.of(arena.allocate(Math.max(1, Math.min(lengthBytes, PREFETCH_BYTES)), 4096));
      for (long done = 0; done < lengthBytes; done += PREFETCH_BYTES) {
        long piece = Math.min(PREFETCH_BYTES, lengthBytes - done);
        backend.read(start + done, buffer.slice(0, piece), RequestFlags.PREFETCH);
      }
    } catch (BlockException e) {
      throw told(e);
    }
  }

  @Override
  public void extents(String context, long offsetBytes, long lengthBytes, ExtentSink sink)
      throws ErrnoException {
    long start = offsetBytes + settings.offsetBytes();
    if (context.startsWith(Nbd.DIRTY_BITMAP)) {
      dirtyExtents(bitmap(context), start, start + lengthBytes, sink);
      return;
    }
    boolean depth = context.equals(Nbd.ALLOCATION_DEPTH);
    try {
      for (long at = start; at < start + lengthBytes; ) {
        ChainStatus status = ChainStatus.of(backend, at, start + lengthBytes - at);
        long flags = depth ? status.depth() : flags(status);
        if (!sink.extent(status.lengthBytes(), flags)) {
          return;
        }
        at += status.lengthBytes();
      }
    } catch (BlockException e) {
      throw told(e);
    }
  }

  private static long flags(ChainStatus status) {
    return (status.data() ? 0 : Nbd.STATE_HOLE) | (status.zero() ? Nbd.STATE_ZERO : 0);
  }

  private DirtyBitmap bitmap(String context) throws ErrnoException {
    String name = context.substring(Nbd.DIRTY_BITMAP.length());
    for (DirtyBitmap each : settings.bitmaps()) {
      if (Objects.equals(each.name(), name)) {
        return each;
      }
    }
    throw new ErrnoException(Errno.EINVAL, "there is no bitmap '" + name + "'");
  }

  private static void dirtyExtents(DirtyBitmap bitmap, long start, long end, ExtentSink sink) {
    for (long at = start; at < end; ) {
      long dirty = bitmap.nextDirty(at, end - at);
      if (dirty < 0) {
        sink.extent(end - at, 0);
        return;
      }
      if (dirty > at && !sink.extent(dirty - at, 0)) {
        return;
      }
      long clean = bitmap.nextClean(dirty, end - dirty);
      long stop = clean < 0 ? end : clean;
      if (!sink.extent(stop - dirty, 1)) {
        return;
      }
      at = stop;
    }
  }
}

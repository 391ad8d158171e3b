package org.tinamou.tools.img;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.OpenImage;

/**
 * Takes into an image what it shows of the image below and what another one there would show
 * differently. Runs in one coroutine.
 */
public final class Rebaser {
  private static final int CHUNK_BYTES = 2 << 20;

  private final OpenImage image;
  private final @Nullable OpenImage before;
  private final @Nullable OpenImage after;
  private final boolean compressed;
  private final Progress progress;

  /**
   * Of an image.
   *
   * @param before what it stands on, or null
   * @param after what it is to stand on, or null
   * @param compressed whether what it takes is to be packed
   */
  public Rebaser(
      OpenImage image,
      @Nullable OpenImage before,
      @Nullable OpenImage after,
      boolean compressed,
      Progress progress) {
    this.image = image;
    this.before = before;
    this.after = after;
    this.compressed = compressed;
    this.progress = progress;
  }

  /** Copies; everything is on the disk when this returns. */
  @InCoroutine
  public void copyDifferences() throws BlockException {
    long length = image.lengthBytes();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment old = AlignedMemory.allocate(arena, CHUNK_BYTES);
      MemorySegment next = AlignedMemory.allocate(arena, CHUNK_BYTES);
      for (long offset = 0; offset < length; ) {
        Extent extent = image.extentAt(offset, Math.min(CHUNK_BYTES, length - offset));
        long bytes = extent.lengthBytes();
        if (!extent.present()) {
          read(before, offset, old.asSlice(0, bytes));
          read(after, offset, next.asSlice(0, bytes));
          take(offset, old.asSlice(0, bytes), next.asSlice(0, bytes));
        }
        offset += bytes;
        progress.set(100f * offset / length);
      }
    }
    image.flush();
  }

  /** What is behind the end of an image reads as zeroes. */
  private static void read(@Nullable OpenImage from, long offset, MemorySegment target)
      throws BlockException {
    long present = from == null ? 0 : Math.clamp(from.lengthBytes() - offset, 0, target.byteSize());
    if (present > 0 && from != null) {
      from.read(IoVector.of(target.asSlice(0, present)), offset);
    }
    target.asSlice(present).fill((byte) 0);
  }

  /** In whole clusters, so that nothing is copied twice. */
  private void take(long offset, MemorySegment old, MemorySegment next) throws BlockException {
    long cluster = Math.max(OpenImage.SECTOR_BYTES, image.clusterBytes());
    for (long at = 0; at < old.byteSize(); ) {
      long end = Math.min(old.byteSize(), (offset + at) / cluster * cluster + cluster - offset);
      if (differs(old, next, at, end)) {
        long start = at;
        while (!compressed && end < old.byteSize()) {
          long following = Math.min(old.byteSize(), end + cluster);
          if (!differs(old, next, end, following)) {
            break;
          }
          end = following;
        }
        write(offset + start, old.asSlice(start, end - start), cluster);
      }
      at = end;
    }
  }

  private static boolean differs(MemorySegment old, MemorySegment next, long from, long to) {
    return MemorySegment.mismatch(old, from, to, next, from, to) >= 0;
  }

  private void write(long offset, MemorySegment content, long cluster) throws BlockException {
    IoVector buffer = IoVector.of(content);
    boolean whole =
        offset % cluster == 0
            && (content.byteSize() == cluster
                || offset + content.byteSize() == image.lengthBytes());
    if (compressed && whole) {
      image.writeCompressed(buffer, offset);
    } else if (ZeroRuns.isZero(content)) {
      image.writeZeroes(offset, content.byteSize(), true, false);
    } else {
      image.write(buffer, offset);
    }
  }
}

package org.tinamou.tools.img;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.OpenImage;

/** Writes what lies above an image of a chain into that image. Runs in one coroutine. */
public final class Committer {
  private static final int CHUNK_BYTES = 2 << 20;

  private final OpenImage top;
  private final OpenImage base;
  private final int layersAbove;
  private final Progress progress;

  /**
   * Of a chain.
   *
   * @param layersAbove how many images there are above the base
   */
  public Committer(OpenImage top, OpenImage base, int layersAbove, Progress progress) {
    this.top = top;
    this.base = base;
    this.layersAbove = layersAbove;
    this.progress = progress;
  }

  /** Copies; everything is on the disk when this returns. */
  @InCoroutine
  public void commit() throws BlockException {
    long length = top.lengthBytes();
    progress.phase("copying", length);
    if (base.lengthBytes() < length) {
      base.truncate(length, true, PreallocationMode.OFF);
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = AlignedMemory.allocate(arena, CHUNK_BYTES);
      for (long offset = 0; offset < length; ) {
        Extent extent = top.extentInChain(offset, length - offset);
        long bytes = Math.min(extent.lengthBytes(), length - offset);
        if (extent.depth() < layersAbove && (extent.present() || extent.zero())) {
          copy(offset, bytes, extent, buffer);
        }
        offset += bytes;
        progress.set(100f * offset / length);
      }
    }
    base.flush();
  }

  private void copy(long offset, long length, Extent extent, MemorySegment buffer)
      throws BlockException {
    if (extent.zero()) {
      base.writeZeroes(offset, length, true, false);
      return;
    }
    for (long done = 0; done < length; ) {
      IoVector part = IoVector.of(buffer.asSlice(0, Math.min(CHUNK_BYTES, length - done)));
      top.read(part, offset + done);
      base.write(part, offset + done);
      done += part.sizeBytes();
    }
  }
}

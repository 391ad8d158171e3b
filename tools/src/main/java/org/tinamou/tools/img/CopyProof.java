package org.tinamou.tools.img;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/** Compares what was copied earlier with its source, so that nothing is skipped on trust. */
final class CopyProof {
  private static final int CHUNK_BYTES = 2 << 20;

  private CopyProof() {}

  /** Fails where the first bytes of the target are not those of the source. */
  static void check(SourceChain source, OpenImage target, long bytes, Progress progress)
      throws ToolException {
    progress.phase("comparing what is there", bytes);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment wanted = AlignedMemory.allocate(arena, CHUNK_BYTES);
      MemorySegment found = AlignedMemory.allocate(arena, CHUNK_BYTES);
      for (long offset = 0; offset < bytes; offset += CHUNK_BYTES) {
        long length = Math.min(CHUNK_BYTES, bytes - offset);
        source.read(IoVector.of(wanted.asSlice(0, length)), offset);
        target.read(IoVector.of(found.asSlice(0, length)), offset);
        long difference = wanted.asSlice(0, length).mismatch(found.asSlice(0, length));
        if (difference >= 0) {
          throw new ToolException(
              "The target differs from its source at offset "
                  + (offset + difference)
                  + ": it was changed, or did not reach the disk; remove it and its record to begin"
                  + " anew");
        }
      }
    } catch (BlockException e) {
      throw new ToolException("error while comparing: " + e.errno().message());
    }
  }
}

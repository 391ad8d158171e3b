package org.tinamou.drivers.protocol.file;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HostFiles;
import org.tinamou.base.Errno;

/**
 * What transfers past the host's cache have to keep to.
 *
 * @param unitBytes offsets and lengths are multiples of it
 * @param memoryBytes buffers start at multiples of it
 */
record DirectLimits(int unitBytes, int memoryBytes) {
  /** Through the cache anything goes. */
  static final DirectLimits NONE = new DirectLimits(1, 1);

  private static final int[] CANDIDATES = {512, 1024, 2048, 4096};

  /** Asks the device, or tries what the file bears; the safe choice where neither tells. */
  static DirectLimits probe(int fd, HostFiles.Status status) {
    int unit = status.logicalBlockBytes();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = AlignedMemory.allocate(arena, 2L * AlignedMemory.ALIGNMENT_BYTES);
      for (int index = 0; unit == 0 && index < CANDIDATES.length; index++) {
        if (isReadable(fd, memory.asSlice(0, CANDIDATES[index]))) {
          unit = CANDIDATES[index];
        }
      }
      if (unit == 0) {
        unit = AlignedMemory.ALIGNMENT_BYTES;
      }
      for (int alignment : CANDIDATES) {
        if (isReadable(fd, memory.asSlice(alignment, AlignedMemory.ALIGNMENT_BYTES))) {
          return new DirectLimits(unit, alignment);
        }
      }
      return new DirectLimits(unit, AlignedMemory.ALIGNMENT_BYTES);
    }
  }

  private static boolean isReadable(int fd, MemorySegment part) {
    long result = Coroutine.current().context().io().read(fd, part, 0);
    // Of an empty file every read succeeds, which tells nothing.
    return result > 0 || (result < 0 && result != -Errno.EINVAL.number());
  }
}

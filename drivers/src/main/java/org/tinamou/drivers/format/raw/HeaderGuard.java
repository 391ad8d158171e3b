package org.tinamou.drivers.format.raw;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.Edge;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.FormatProbe;
import org.tinamou.block.open.NodeOpener;

/**
 * Keeps an image whose format was guessed from being taken for another one the next time: a guest
 * could otherwise turn its raw disk into an image that names other files.
 */
final class HeaderGuard {
  private static final int HEADER_BYTES = NodeOpener.PROBE_BYTES;

  private final FormatProbe probe;

  HeaderGuard(FormatProbe probe) {
    this.probe = probe;
  }

  /** Whether a change that begins there may change the beginning. */
  boolean concerns(long offsetBytes) {
    return offsetBytes < HEADER_BYTES;
  }

  /**
   * Looks at what the beginning of the file would be after a write.
   *
   * @throws BlockException with EPERM if it would look like another format
   */
  void check(Edge file, long offsetBytes, IoVector buffer) throws BlockException {
    if (!concerns(offsetBytes) || buffer.sizeBytes() == 0) {
      return;
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment header = arena.allocate(HEADER_BYTES);
      long present = Math.min(HEADER_BYTES, file.lengthBytes());
      if (present > 0) {
        file.read(0, IoVector.of(header.asSlice(0, present)), RequestFlags.NONE);
      }
      long position = offsetBytes;
      for (MemorySegment segment : buffer.segments()) {
        long length = Math.min(segment.byteSize(), HEADER_BYTES - position);
        if (length <= 0) {
          break;
        }
        header.asSlice(position, length).copyFrom(segment.asSlice(0, length));
        position += length;
      }
      if (probe.probe(header.toArray(ValueLayout.JAVA_BYTE), "") != null) {
        throw BlockException.of(Errno.EPERM, "write");
      }
    }
  }
}

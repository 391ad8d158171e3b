package org.tinamou.tools.img;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.Extent;
import org.tinamou.tools.image.OpenImage;

/**
 * Finds all sectors in which two images differ; a shorter image counts as if zeroes followed. Runs
 * in one coroutine.
 */
final class DifferenceFinder {
  private static final int CHUNK_BYTES = 2 << 20;
  private static final int METADATA_FAILED = 3;
  private static final int READ_FAILED = 4;

  private final Console console;
  private final OpenImage first;
  private final OpenImage second;
  private final DifferenceMap map;
  private final Progress progress;
  private long rangeStart = -1;
  private long rangeEnd;
  private boolean any;

  DifferenceFinder(
      Console console, OpenImage first, OpenImage second, DifferenceMap map, Progress progress) {
    this.console = console;
    this.first = first;
    this.second = second;
    this.map = map;
    this.progress = progress;
  }

  /** Tells the map of all differences and returns the exit code. */
  int find() throws ToolException {
    long total = Math.max(first.lengthBytes(), second.lengthBytes());
    if (first.lengthBytes() != second.lengthBytes()) {
      console.warning("Image size mismatch: the rest of the longer image is compared with zeroes");
    }
    progress.phase("comparing", total);
    progress.set(0);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment one = AlignedMemory.allocate(arena, CHUNK_BYTES);
      MemorySegment other = AlignedMemory.allocate(arena, CHUNK_BYTES);
      for (long offset = 0; offset < total; ) {
        Extent here = extent(first, offset, total - offset);
        Extent there = extent(second, offset, total - offset);
        long length = Math.min(here.lengthBytes(), there.lengthBytes());
        if (here.data() || there.data()) {
          length = Math.min(length, CHUNK_BYTES);
          read(first, here, one.asSlice(0, length), offset);
          read(second, there, other.asSlice(0, length), offset);
          compare(one.asSlice(0, length), other.asSlice(0, length), offset);
        }
        offset += length;
        progress.set(offset, total);
      }
    }
    endRange();
    map.end();
    progress.set(100);
    return any ? ImageComparer.DIFFERENT : ImageComparer.IDENTICAL;
  }

  private void compare(MemorySegment one, MemorySegment other, long offset) {
    long size = one.byteSize();
    for (long at = 0; at < size; ) {
      long found = one.asSlice(at).mismatch(other.asSlice(at));
      if (found < 0) {
        return;
      }
      long sector = at + found & -OpenImage.SECTOR_BYTES;
      long end = Math.min(sector + OpenImage.SECTOR_BYTES, size);
      differ(offset + sector, offset + end);
      at = end;
    }
  }

  private void differ(long start, long end) {
    any = true;
    if (start != rangeEnd || rangeStart < 0) {
      endRange();
      rangeStart = start;
    }
    rangeEnd = end;
  }

  private void endRange() {
    if (rangeStart >= 0) {
      map.range(rangeStart, rangeEnd - rangeStart);
    }
    rangeStart = -1;
  }

  private static Extent extent(OpenImage image, long offset, long length) throws ToolException {
    long left = image.lengthBytes() - offset;
    if (left <= 0) {
      return new Extent(length, false, true, false, -1, 0, null);
    }
    try {
      return image.extentInChain(offset, Math.min(left, length));
    } catch (BlockException e) {
      throw failed("Error while reading block status at offset ", image, offset, e)
          .withExitCode(METADATA_FAILED);
    }
  }

  private static void read(OpenImage image, Extent extent, MemorySegment buffer, long offset)
      throws ToolException {
    if (!extent.data()) {
      buffer.fill((byte) 0);
      return;
    }
    try {
      image.read(IoVector.of(buffer), offset);
    } catch (BlockException e) {
      throw failed("Error while reading offset ", image, offset, e).withExitCode(READ_FAILED);
    }
  }

  private static ToolException failed(
      String what, OpenImage image, long offset, BlockException cause) {
    return new ToolException(
        what + offset + " of " + image.givenName() + ": " + cause.errno().message());
  }
}

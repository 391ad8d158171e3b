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

/** Looks for the first difference between two images. Runs in one coroutine. */
final class ImageComparer {
  static final int IDENTICAL = 0;
  static final int DIFFERENT = 1;
  private static final int METADATA_FAILED = 3;
  private static final int READ_FAILED = 4;
  private static final int CHUNK_BYTES = 2 << 20;

  private final Console console;
  private final OpenImage first;
  private final OpenImage second;
  private final boolean strict;
  private final boolean quiet;
  private final Progress progress;
  private final long totalBytes;

  ImageComparer(
      Console console,
      OpenImage first,
      OpenImage second,
      boolean strict,
      boolean quiet,
      Progress progress) {
    this.console = console;
    this.first = first;
    this.second = second;
    this.strict = strict;
    this.quiet = quiet;
    this.progress = progress;
    this.totalBytes = Math.max(first.lengthBytes(), second.lengthBytes());
  }

  /** Reports what it finds and returns the exit code. */
  int compare() throws ToolException {
    long common = Math.min(first.lengthBytes(), second.lengthBytes());
    progress.phase("comparing", totalBytes);
    progress.set(0);
    if (strict && common != totalBytes) {
      say("Strict mode: Image size mismatch!");
      return DIFFERENT;
    }
    try (Arena arena = Arena.ofShared()) {
      MemorySegment one = AlignedMemory.allocate(arena, CHUNK_BYTES);
      MemorySegment other = AlignedMemory.allocate(arena, CHUNK_BYTES);
      if (!isCommonPartEqual(common, one, other)) {
        return DIFFERENT;
      }
      if (common != totalBytes) {
        say("Warning: Image size mismatch!");
        OpenImage longer = first.lengthBytes() > common ? first : second;
        if (!isRestZero(longer, common, one)) {
          return DIFFERENT;
        }
      }
    }
    say("Images are identical.");
    return IDENTICAL;
  }

  private boolean isCommonPartEqual(long common, MemorySegment one, MemorySegment other)
      throws ToolException {
    for (long offset = 0; offset < common; ) {
      Extent here = extent(first, offset, common - offset);
      Extent there = extent(second, offset, common - offset);
      long length = Math.min(here.lengthBytes(), there.lengthBytes());
      if (strict && !isStatusEqual(here, there, offset)) {
        say("Strict mode: Offset " + offset + " block status mismatch!");
        return false;
      }
      if (here.data() || there.data()) {
        length = Math.min(length, CHUNK_BYTES);
        long difference = difference(here, there, offset, one.asSlice(0, length), other);
        if (difference >= 0) {
          say("Content mismatch at offset " + difference + "!");
          return false;
        }
      }
      advance(length);
      offset += length;
    }
    return true;
  }

  /** Whether both hold data or not and whether both go on behind the extent or not. */
  private boolean isStatusEqual(Extent here, Extent there, long offset) {
    boolean endsHere = offset + here.lengthBytes() == first.lengthBytes();
    boolean endsThere = offset + there.lengthBytes() == second.lengthBytes();
    return here.data() == there.data() && endsHere == endsThere;
  }

  /** The sector in which a chunk differs first, or -1. */
  private long difference(
      Extent here, Extent there, long offset, MemorySegment one, MemorySegment other)
      throws ToolException {
    if (!here.data() || !there.data()) {
      read(here.data() ? first : second, one, offset);
      return sectorOf(offset, ZeroRuns.firstNonZero(one));
    }
    MemorySegment same = other.asSlice(0, one.byteSize());
    read(first, one, offset);
    read(second, same, offset);
    return sectorOf(offset, one.mismatch(same));
  }

  private boolean isRestZero(OpenImage longer, long start, MemorySegment buffer)
      throws ToolException {
    for (long offset = start; offset < totalBytes; ) {
      Extent extent = extent(longer, offset, totalBytes - offset);
      long length = extent.lengthBytes();
      if (extent.data()) {
        length = Math.min(length, CHUNK_BYTES);
        MemorySegment chunk = buffer.asSlice(0, length);
        read(longer, chunk, offset);
        long difference = sectorOf(offset, ZeroRuns.firstNonZero(chunk));
        if (difference >= 0) {
          say("Content mismatch at offset " + difference + "!");
          return false;
        }
      }
      advance(length);
      offset += length;
    }
    return true;
  }

  private static long sectorOf(long offset, long position) {
    return position < 0 ? -1 : offset + (position & -OpenImage.SECTOR_BYTES);
  }

  private void advance(long length) {
    progress.add((float) length / totalBytes * 100);
  }

  private void say(String text) {
    if (!quiet) {
      console.line(text);
    }
  }

  private static Extent extent(OpenImage image, long offset, long length) throws ToolException {
    try {
      return image.extentInChain(offset, length);
    } catch (BlockException e) {
      throw new ToolException(
              "Error while reading block status at offset "
                  + offset
                  + " of "
                  + image.givenName()
                  + ": "
                  + e.errno().message())
          .withExitCode(METADATA_FAILED);
    }
  }

  private static void read(OpenImage image, MemorySegment buffer, long offset)
      throws ToolException {
    try {
      image.read(IoVector.of(buffer), offset);
    } catch (BlockException e) {
      throw new ToolException(
              "Error while reading offset "
                  + offset
                  + " of "
                  + image.givenName()
                  + ": "
                  + e.errno().message())
          .withExitCode(READ_FAILED);
    }
  }
}

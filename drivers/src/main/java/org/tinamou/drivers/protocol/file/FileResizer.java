package org.tinamou.drivers.protocol.file;

import java.lang.foreign.Arena;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;

/** Changes the length of one file, with all that is promised of its new space. */
final class FileResizer {
  private static final int FIRST_BLOCK_BYTES = 4096;
  private static final int SECTOR_BYTES = 512;

  private final FileDriver file;

  FileResizer(FileDriver file) {
    this.file = file;
  }

  /** Changes the length; what fails leaves it as it was. */
  @InCoroutine
  void resize(long sizeBytes, PreallocationMode preallocation) throws BlockException {
    if (file.kind() != HostFiles.Kind.REGULAR) {
      truncateDevice(sizeBytes, preallocation);
      return;
    }
    long before = file.lengthBytes();
    if (preallocation != PreallocationMode.OFF && sizeBytes < before) {
      throw new BlockException(Errno.EOPNOTSUPP, "Cannot use preallocation for shrinking files");
    }
    switch (preallocation) {
      case OFF -> {
        file.cut(sizeBytes);
        allocateFirstBlock(before, sizeBytes);
      }
      case METADATA ->
          throw new BlockException(
              Errno.EOPNOTSUPP, "Unsupported preallocation mode: " + preallocation.text());
      case FALLOC -> {
        reserve(before, sizeBytes);
        allocateFirstBlock(before, sizeBytes);
      }
      case FULL -> fill(before, sizeBytes);
    }
  }

  /**
   * Writes zeroes to the beginning of a file that was empty, so that whoever later asks the file
   * system for the unit of direct I/O finds a block to try it on. The file is good without it.
   */
  private void allocateFirstBlock(long before, long sizeBytes) {
    int length = sizeBytes >= FIRST_BLOCK_BYTES ? FIRST_BLOCK_BYTES : SECTOR_BYTES;
    if (before == 0 && sizeBytes > 0) {
      try (Arena arena = Arena.ofShared()) {
        file.write(AlignedMemory.allocate(arena, length), 0);
      } catch (BlockException e) {
        return;
      }
    }
  }

  private void truncateDevice(long sizeBytes, PreallocationMode preallocation)
      throws BlockException {
    if (preallocation != PreallocationMode.OFF) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "Preallocation mode '"
              + preallocation.text()
              + "' unsupported for this non-regular file");
    }
    if (sizeBytes > file.lengthBytes()) {
      throw new BlockException(Errno.EINVAL, "Cannot grow device files");
    }
  }

  private void reserve(long before, long sizeBytes) throws BlockException {
    if (sizeBytes == before) {
      return;
    }
    long result = file.allocate(0, before, sizeBytes - before);
    if (result < 0) {
      file.cut(before);
      throw BlockException.of(Errno.ofResult(result), "Could not preallocate new data");
    }
  }

  private void fill(long before, long sizeBytes) throws BlockException {
    file.cut(sizeBytes);
    try {
      file.writeZeroBytes(before, sizeBytes - before);
      file.sync();
    } catch (BlockException e) {
      file.cut(before);
      throw BlockException.of(e.errno(), "Could not write zeros for preallocation");
    }
  }
}

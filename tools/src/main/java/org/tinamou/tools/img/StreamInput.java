package org.tinamou.tools.img;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BooleanSupplier;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/**
 * Reads a raw disk from standard input, of which nobody knows the end beforehand, into an image
 * that is new and empty and grows with it. Runs in one coroutine.
 */
final class StreamInput {
  private static final int PIECE_BYTES = 2 << 20;
  private static final int UNIT_BYTES = 4096;
  private static final long STEP_BYTES = 1L << 28;

  private final InputStream in;
  private final OpenImage target;
  private final Progress progress;
  private final BooleanSupplier stopAsked;

  StreamInput(InputStream in, OpenImage target, Progress progress, BooleanSupplier stopAsked) {
    this.in = in;
    this.target = target;
    this.progress = progress;
    this.stopAsked = stopAsked;
  }

  /** Copies everything; false if it was asked to stop before. */
  boolean copy() throws ToolException {
    progress.phaseWithoutEnd("copying");
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = AlignedMemory.allocate(arena, PIECE_BYTES);
      byte[] bytes = new byte[PIECE_BYTES];
      long offset = 0;
      while (!stopAsked.getAsBoolean()) {
        int length = in.readNBytes(bytes, 0, PIECE_BYTES);
        if (length > 0) {
          MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, length);
          int whole = length + OpenImage.SECTOR_BYTES - 1 & -OpenImage.SECTOR_BYTES;
          buffer.asSlice(length, whole - length).fill((byte) 0);
          write(buffer.asSlice(0, whole), offset);
          offset += whole;
          progress.reached(offset);
        }
        if (length < PIECE_BYTES) {
          resize(offset);
          target.flush();
          progress.set(offset, offset);
          return true;
        }
      }
      return false;
    } catch (BlockException e) {
      throw new ToolException("error while writing: " + e.errno().message());
    } catch (IOException e) {
      throw new ToolException("error while reading standard input: " + e.getMessage());
    }
  }

  private void resize(long bytes) throws BlockException {
    target.truncate(bytes, true, PreallocationMode.OFF);
  }

  private void write(MemorySegment piece, long offset) throws BlockException {
    long end = offset + piece.byteSize();
    if (end > target.lengthBytes()) {
      resize(end + STEP_BYTES - 1 & -STEP_BYTES);
    }
    for (long done = 0; done < piece.byteSize(); ) {
      done += ZeroRuns.zeroes(piece, done, UNIT_BYTES, offset);
      long data =
          done < piece.byteSize() ? ZeroRuns.data(piece, done, UNIT_BYTES, offset, UNIT_BYTES) : 0;
      if (data > 0) {
        target.write(IoVector.of(piece.asSlice(done, data)), offset + done);
        done += data;
      }
    }
  }
}

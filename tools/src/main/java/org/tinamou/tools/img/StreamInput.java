package org.tinamou.tools.img;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.OpenImage;

/**
 * Reads a raw disk from standard input, of which nobody knows the end beforehand: into an image
 * that is new and empty and grows with it, or on to standard output. Runs in one coroutine, with
 * others that pack.
 */
final class StreamInput {
  private static final int PIECE_BYTES = 2 << 20;
  private static final int UNIT_BYTES = 4096;
  private static final long STEP_BYTES = 1L << 28;

  private final InputStream in;
  private final Progress progress;
  private final BooleanSupplier stopAsked;

  StreamInput(InputStream in, Progress progress, BooleanSupplier stopAsked) {
    this.in = in;
    this.progress = progress;
    this.stopAsked = stopAsked;
  }

  /** Passes everything on; the end is filled up to a whole sector, as that of an image is. */
  void copyTo(PrintStream out) throws ToolException {
    progress.phaseWithoutEnd("copying");
    byte[] bytes = new byte[PIECE_BYTES];
    long offset = 0;
    int length;
    do {
      if (stopAsked.getAsBoolean()) {
        throw new ToolException("interrupted: the output is not complete");
      }
      length = read(bytes);
      int whole = length + OpenImage.SECTOR_BYTES - 1 & -OpenImage.SECTOR_BYTES;
      Arrays.fill(bytes, length, whole, (byte) 0);
      out.write(bytes, 0, whole);
      if (out.checkError()) {
        throw StreamOutput.brokenOff();
      }
      offset += whole;
      progress.reached(offset);
    } while (length == PIECE_BYTES);
    progress.set(offset, offset);
  }

  private int read(byte[] bytes) throws ToolException {
    try {
      return in.readNBytes(bytes, 0, bytes.length);
    } catch (IOException e) {
      throw new ToolException("error while reading standard input: " + e.getMessage());
    }
  }

  /**
   * Copies everything into an image; false if it was asked to stop before.
   *
   * @param packed whether its clusters are packed
   */
  boolean copyTo(OpenImage target, boolean packed) throws ToolException {
    progress.phaseWithoutEnd("copying");
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = AlignedMemory.allocate(arena, PIECE_BYTES);
      byte[] bytes = new byte[PIECE_BYTES];
      long offset = 0;
      while (!stopAsked.getAsBoolean()) {
        int length = read(bytes);
        if (length > 0) {
          MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, length);
          int whole = length + OpenImage.SECTOR_BYTES - 1 & -OpenImage.SECTOR_BYTES;
          buffer.asSlice(length, whole - length).fill((byte) 0);
          makeRoom(target, offset + PIECE_BYTES);
          if (packed) {
            writePacked(target, buffer, whole, offset);
          } else {
            write(target, buffer.asSlice(0, whole), offset);
          }
          offset += whole;
          progress.reached(offset);
        }
        if (length < PIECE_BYTES) {
          resize(target, offset);
          target.flush();
          progress.set(offset, offset);
          return true;
        }
      }
      return false;
    } catch (BlockException e) {
      throw new ToolException("error while writing: " + e.errno().message());
    }
  }

  private static void makeRoom(OpenImage target, long end) throws BlockException {
    if (end > target.lengthBytes()) {
      resize(target, end + STEP_BYTES - 1 & -STEP_BYTES);
    }
  }

  private static void resize(OpenImage target, long bytes) throws BlockException {
    target.truncate(bytes, true, PreallocationMode.OFF);
  }

  private static void write(OpenImage target, MemorySegment piece, long offset)
      throws BlockException {
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

  /** Writes whole clusters, of which the last goes on with zeroes; several at a time. */
  private static void writePacked(OpenImage target, MemorySegment buffer, int length, long offset)
      throws BlockException {
    long clusterBytes = target.clusterBytes();
    buffer.asSlice(length).fill((byte) 0);
    AioContext context = Coroutine.current().context();
    List<AioContext.Forked<Boolean>> writing = new ArrayList<>();
    for (long at = 0; at < length; at += clusterBytes) {
      MemorySegment cluster = buffer.asSlice(at, clusterBytes);
      if (!ZeroRuns.isZero(cluster)) {
        long place = offset + at;
        writing.add(
            context.fork(
                "cluster at " + place,
                () -> {
                  target.writeCompressed(IoVector.of(cluster), place);
                  return true;
                }));
      }
    }
    writing.forEach(each -> each.coroutine().join()); // they use the buffer
    for (AioContext.Forked<Boolean> each : writing) {
      try {
        each.join();
      } catch (BlockException | RuntimeException e) {
        throw e;
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}

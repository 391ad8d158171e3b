package org.tinamou.tools.img;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.format.qcow2.Qcow2Stream;
import org.tinamou.drivers.format.vmdk.VmdkStream;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.Extent;

/**
 * Writes a source to where nothing can be written twice and nobody can seek: standard output. For
 * qcow2 the source is read twice, once to know where it has data. Runs in one coroutine; a slow
 * reader is waited for.
 */
final class StreamOutput {
  private static final int MOST_BYTES = 2 << 20;

  private final SourceChain source;
  private final PrintStream out;
  private final Progress progress;
  private final BooleanSupplier stopAsked;

  StreamOutput(SourceChain source, PrintStream out, Progress progress, BooleanSupplier stopAsked) {
    this.source = source;
    this.out = out;
    this.progress = progress;
    this.stopAsked = stopAsked;
  }

  /** Told each piece of the source, in its order. */
  @FunctionalInterface
  private interface Pieces {
    void piece(long offset, MemorySegment bytes) throws IOException, ToolException;
  }

  /** Writes the bytes of the disk. */
  void raw() throws ToolException {
    progress.phase("copying", source.lengthBytes());
    pass(MOST_BYTES, (offset, bytes) -> send(bytes.toArray(ValueLayout.JAVA_BYTE)));
  }

  /** Writes a qcow2 image. */
  void qcow2(int clusterBytes) throws ToolException {
    BitSet data = new BitSet();
    progress.phase("looking for data", source.lengthBytes());
    pass(
        clusterBytes,
        (offset, bytes) -> {
          if (!ZeroRuns.isZero(bytes)) {
            data.set(Math.toIntExact(offset / clusterBytes));
          }
        });
    try {
      Qcow2Stream stream = new Qcow2Stream(source.lengthBytes(), clusterBytes, data);
      stream.writeTables(this::sendQuietly);
    } catch (BlockException e) {
      throw ToolException.of("", e);
    } catch (IOException e) {
      throw brokenOff();
    }
    progress.phase("copying", source.lengthBytes());
    byte[] cluster = new byte[clusterBytes];
    pass(
        clusterBytes,
        (offset, bytes) -> {
          if (data.get((int) (offset / clusterBytes))) {
            Arrays.fill(cluster, (byte) 0);
            MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, cluster, 0, (int) bytes.byteSize());
            send(cluster);
          }
        });
  }

  /**
   * Writes a stream-optimized VMDK image. Its grains are packed by the workers, several at a time.
   */
  void vmdk(String adapter, String hardware, int level) throws ToolException {
    progress.phase("copying", source.lengthBytes());
    try {
      VmdkStream stream =
          new VmdkStream(source.lengthBytes(), adapter, hardware, this::sendQuietly);
      stream.begin();
      pass(MOST_BYTES, (offset, bytes) -> grains(stream, offset, bytes, level));
      stream.end();
    } catch (BlockException e) {
      throw ToolException.of("", e);
    } catch (IOException e) {
      throw brokenOff();
    }
  }

  private void grains(VmdkStream stream, long offset, MemorySegment bytes, int level)
      throws IOException, ToolException {
    int grainBytes = VmdkStream.GRAIN_BYTES;
    AioContext context = Coroutine.current().context();
    Map<Long, AioContext.Forked<byte[]>> packing = new LinkedHashMap<>();
    for (long done = 0; done < bytes.byteSize(); done += grainBytes) {
      long length = Math.min(grainBytes, bytes.byteSize() - done);
      MemorySegment part = bytes.asSlice(done, length);
      if (!ZeroRuns.isZero(part)) {
        ByteBuffer grain = ByteBuffer.allocate(grainBytes);
        MemorySegment.copy(part, 0, MemorySegment.ofBuffer(grain), 0, length);
        long index = (offset + done) / grainBytes;
        packing.put(
            index,
            context.fork(
                "grain " + index, () -> context.callBlocking(() -> VmdkStream.pack(grain, level))));
      }
    }
    try {
      for (Map.Entry<Long, AioContext.Forked<byte[]>> each : packing.entrySet()) {
        stream.grain(each.getKey(), each.getValue().join());
      }
    } catch (IOException | ToolException | RuntimeException e) {
      throw e;
    } catch (BlockException e) {
      throw ToolException.of("", e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Goes through the source once; what is known to be zeroes is not read. */
  private void pass(int pieceBytes, Pieces pieces) throws ToolException {
    long length = source.lengthBytes();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = AlignedMemory.allocate(arena, pieceBytes);
      for (long offset = 0; offset < length; offset += pieceBytes) {
        if (stopAsked.getAsBoolean()) {
          throw new ToolException("interrupted: the output is not complete");
        }
        MemorySegment piece = buffer.asSlice(0, Math.min(pieceBytes, length - offset));
        fill(piece, offset);
        pieces.piece(offset, piece);
        progress.set(offset + piece.byteSize(), length);
      }
    } catch (BlockException e) {
      throw new ToolException("error while reading: " + e.errno().message());
    } catch (IOException e) {
      throw brokenOff();
    }
  }

  private void fill(MemorySegment piece, long offset) throws BlockException {
    long size = piece.byteSize();
    for (long done = 0; done < size; ) {
      Extent extent = source.extentAt(offset + done, false);
      long length = Math.min(extent.lengthBytes(), size - done);
      MemorySegment part = piece.asSlice(done, length);
      if (extent.isContent()) {
        source.read(IoVector.of(part), offset + done);
      } else {
        part.fill((byte) 0);
      }
      done += length;
    }
  }

  private void send(byte[] bytes) throws ToolException {
    out.write(bytes, 0, bytes.length);
    if (out.checkError()) {
      throw brokenOff();
    }
  }

  private void sendQuietly(byte[] bytes) throws IOException {
    out.write(bytes, 0, bytes.length);
    if (out.checkError()) {
      throw new IOException("broken off");
    }
  }

  private static ToolException brokenOff() {
    return new ToolException("error while writing to standard output: nobody reads it any more");
  }
}

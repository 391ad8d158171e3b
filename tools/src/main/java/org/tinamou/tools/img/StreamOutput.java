package org.tinamou.tools.img;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.format.qcow2.ClusterCodec;
import org.tinamou.drivers.format.qcow2.Qcow2Stream;
import org.tinamou.drivers.format.vmdk.VmdkStream;
import org.tinamou.drivers.protocol.file.AlignedMemory;
import org.tinamou.tools.cli.Progress;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.image.Extent;

/**
 * Writes a source to where nothing can be written twice and nobody can seek: standard output. For
 * qcow2 the source is read twice, once to know what it has and what that takes. Runs in one
 * coroutine; a slow reader is waited for.
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

  /** Writes a qcow2 image whose data is stored as it is. */
  void qcow2(int clusterBytes) throws ToolException {
    Qcow2Stream.Contents contents = new Qcow2Stream.Contents(clusterBytes);
    progress.phase("looking for data", source.lengthBytes());
    pass(
        clusterBytes,
        (offset, bytes) -> {
          if (!ZeroRuns.isZero(bytes)) {
            contents.add(offset / clusterBytes, clusterBytes);
          }
        });
    Qcow2Stream stream = writeTables(clusterBytes, false, contents);
    pass(
        clusterBytes,
        (offset, bytes) -> {
          if (contents.has(offset / clusterBytes)) {
            byte[] cluster = new byte[clusterBytes];
            MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, cluster, 0, (int) bytes.byteSize());
            stream.writeData(cluster, this::sendQuietly);
          }
        });
    end(stream);
  }

  /**
   * Writes a qcow2 image whose clusters are packed, by the workers and twice: the tables come first
   * and tell how long each is.
   *
   * @param level as {@link ClusterCodec} counts it
   */
  void packedQcow2(int clusterBytes, boolean zstd, int level) throws ToolException {
    ClusterCodec codec;
    try {
      codec = ClusterCodec.of(zstd, clusterBytes, level);
    } catch (BlockException e) {
      throw ToolException.of("", e);
    }
    try {
      Qcow2Stream.Contents contents = new Qcow2Stream.Contents(clusterBytes);
      progress.phase("packing", source.lengthBytes());
      pass(
          MOST_BYTES,
          (offset, bytes) ->
              inUnits(
                  offset,
                  bytes,
                  clusterBytes,
                  cluster -> stored(codec, cluster),
                  (index, stored) -> contents.add(index, stored.length)));
      Qcow2Stream stream = writeTables(clusterBytes, zstd, contents);
      pass(
          MOST_BYTES,
          (offset, bytes) ->
              inUnits(
                  offset,
                  bytes,
                  clusterBytes,
                  cluster -> stored(codec, cluster),
                  (index, stored) -> {
                    if (!contents.has(index) || !stream.writeData(stored, this::sendQuietly)) {
                      throw new ToolException("the source has changed while it was read");
                    }
                  }));
      end(stream);
    } finally {
      codec.close();
    }
  }

  private static byte[] stored(ClusterCodec codec, MemorySegment cluster) {
    byte[] packed = codec.pack(cluster);
    return packed == null ? cluster.toArray(ValueLayout.JAVA_BYTE) : packed;
  }

  private Qcow2Stream writeTables(int clusterBytes, boolean zstd, Qcow2Stream.Contents contents)
      throws ToolException {
    try {
      Qcow2Stream stream = new Qcow2Stream(source.lengthBytes(), clusterBytes, zstd, contents);
      stream.writeTables(this::sendQuietly);
      progress.phase("copying", source.lengthBytes());
      return stream;
    } catch (BlockException e) {
      throw ToolException.of("", e);
    } catch (IOException e) {
      throw brokenOff();
    }
  }

  private void end(Qcow2Stream stream) throws ToolException {
    try {
      stream.end(this::sendQuietly);
    } catch (IOException e) {
      throw brokenOff();
    }
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
      pass(
          MOST_BYTES,
          (offset, bytes) ->
              inUnits(
                  offset,
                  bytes,
                  VmdkStream.GRAIN_BYTES,
                  grain -> packedGrain(grain, level),
                  stream::grain));
      stream.end();
    } catch (BlockException e) {
      throw ToolException.of("", e);
    } catch (IOException e) {
      throw brokenOff();
    }
  }

  private static byte[] packedGrain(MemorySegment grain, int level) {
    AioContext context = Coroutine.current().context();
    return context.callBlocking(() -> VmdkStream.pack(grain.asByteBuffer(), level));
  }

  /** Makes of a unit of the disk what is stored of it; in a coroutine of its own. */
  @FunctionalInterface
  private interface Packer {
    byte[] pack(MemorySegment unit);
  }

  /** Takes what is stored of a unit, in the order of the disk. */
  @FunctionalInterface
  private interface Taker {
    void take(long index, byte[] stored) throws IOException, BlockException, ToolException;
  }

  /** Packs those units of a piece that are not zeroes, several at a time. */
  private static void inUnits(
      long offset, MemorySegment bytes, int unitBytes, Packer packer, Taker taker)
      throws IOException, ToolException {
    AioContext context = Coroutine.current().context();
    Map<Long, AioContext.Forked<byte[]>> packing = new LinkedHashMap<>();
    for (long done = 0; done < bytes.byteSize(); done += unitBytes) {
      MemorySegment part = bytes.asSlice(done, Math.min(unitBytes, bytes.byteSize() - done));
      if (!ZeroRuns.isZero(part)) {
        MemorySegment unit = whole(part, unitBytes);
        long index = (offset + done) / unitBytes;
        packing.put(index, context.fork("unit " + index, () -> packer.pack(unit)));
      }
    }
    // They use the piece's memory: all have to end, whatever comes of them.
    packing.values().forEach(each -> each.coroutine().join());
    try {
      for (Map.Entry<Long, AioContext.Forked<byte[]>> each : packing.entrySet()) {
        taker.take(each.getKey(), each.getValue().join());
      }
    } catch (IOException | ToolException | RuntimeException e) {
      throw e;
    } catch (BlockException e) {
      throw ToolException.of("", e);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** The end of the disk goes on with zeroes to the end of its unit. */
  private static MemorySegment whole(MemorySegment part, int unitBytes) {
    if (part.byteSize() == unitBytes) {
      return part;
    }
    MemorySegment unit = Arena.ofAuto().allocate(unitBytes);
    return unit.copyFrom(part);
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

  static ToolException brokenOff() {
    return new ToolException("error while writing to standard output: nobody reads it any more");
  }
}

package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/** Packs and unpacks clusters on the workers, so that no loop waits for it. */
final class ClusterCodec {
  private final int type;

  /** The usual effort. */
  static final int USUAL_LEVEL = -1;

  private final int clusterBytes;
  private final int level;

  /**
   * A codec.
   *
   * @param type a constant of {@link Qcow2Header}
   * @param level how much effort to make in packing, as the method counts it, or {@link
   *     #USUAL_LEVEL}
   */
  ClusterCodec(int type, int clusterBytes, int level) {
    this.type = type;
    this.clusterBytes = clusterBytes;
    this.level = level;
  }

  /** The most effort a method can make. */
  static int maxLevel(int type) {
    return type == Qcow2Header.COMPRESSION_ZSTD ? ZstdFrames.MAX_LEVEL : Deflater.BEST_COMPRESSION;
  }

  /**
   * Unpacks a cluster.
   *
   * @param packed may go on behind the end of the packed data
   * @throws BlockException with EIO if it is not the packed form of a whole cluster
   */
  @InCoroutine
  void unpack(byte[] packed, MemorySegment cluster) throws BlockException {
    boolean whole = Coroutine.current().context().callBlocking(() -> tryUnpack(packed, cluster));
    if (!whole) {
      throw BlockException.of(Errno.EIO, "unpack a compressed cluster");
    }
  }

  private boolean tryUnpack(byte[] packed, MemorySegment cluster) {
    return type == Qcow2Header.COMPRESSION_ZSTD
        ? ZstdFrames.unpack(packed, cluster.asByteBuffer(), clusterBytes)
        : inflate(packed, cluster.asByteBuffer());
  }

  private boolean inflate(byte[] packed, ByteBuffer target) {
    try (Inflater inflater = new Inflater(true)) {
      // Without the zlib wrapping the end of the data is not marked by a checksum.
      inflater.setInput(packed);
      while (target.hasRemaining()) {
        if (inflater.inflate(target) == 0) {
          return false;
        }
      }
      return true;
    } catch (DataFormatException e) {
      return false;
    }
  }

  /** Packs a cluster; null if that saves nothing. */
  @InCoroutine
  byte @Nullable [] pack(MemorySegment cluster) {
    byte[] packed = Coroutine.current().context().callBlocking(() -> packedOrEmpty(cluster));
    return packed.length == 0 ? null : packed;
  }

  @AnyThread
  private byte[] packedOrEmpty(MemorySegment cluster) {
    byte[] packed =
        type == Qcow2Header.COMPRESSION_ZSTD
            ? ZstdFrames.pack(cluster.asByteBuffer(), clusterBytes, level)
            : deflate(cluster.asByteBuffer());
    return packed == null ? new byte[0] : packed;
  }

  private byte @Nullable [] deflate(ByteBuffer cluster) {
    try (Deflater deflater = new Deflater(level, true)) {
      deflater.setInput(cluster);
      deflater.finish();
      byte[] packed = new byte[clusterBytes - 1];
      int length = deflater.deflate(packed);
      return deflater.finished() ? Arrays.copyOf(packed, length) : null;
    }
  }
}

package org.tinamou.drivers.format.qcow2;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * Packs and unpacks one cluster after the other, with memory that is made once. For one thread at a
 * time.
 */
interface ClusterPacker extends AutoCloseable {
  /** The packed form, or null if it is not shorter. */
  byte @Nullable [] pack(ByteBuffer cluster);

  /**
   * Whether what is packed filled a cluster.
   *
   * @param packed off-heap; may go on behind the end of the packed data
   */
  boolean unpack(ByteBuffer packed, ByteBuffer cluster);

  @Override
  void close();

  /**
   * With the method that headers number so.
   *
   * @param level as the method counts it, or below 1 for the usual one
   */
  static ClusterPacker of(int type, int clusterBytes, int level) {
    return type == Qcow2Header.COMPRESSION_ZSTD
        ? new ZstdFrames(clusterBytes, level < 1 ? Zstd.defaultCompressionLevel() : level)
        : new Deflated(clusterBytes, level < 0 ? Deflated.USUAL_LEVEL : level);
  }

  /** Deflate without the zlib wrapping. */
  final class Deflated implements ClusterPacker {
    /**
     * Packs better than the reference, which makes more effort in a smaller window, and takes less
     * time.
     */
    static final int USUAL_LEVEL = 5;

    private final Deflater deflater;
    private final Inflater inflater = new Inflater(true);
    private final byte[] target;

    private Deflated(int clusterBytes, int level) {
      this.deflater = new Deflater(level, true);
      this.target = new byte[clusterBytes - 1];
    }

    @Override
    public byte @Nullable [] pack(ByteBuffer cluster) {
      deflater.reset();
      deflater.setInput(cluster);
      deflater.finish();
      int length = deflater.deflate(target);
      return deflater.finished() ? Arrays.copyOf(target, length) : null;
    }

    @Override
    public boolean unpack(ByteBuffer packed, ByteBuffer cluster) {
      try {
        inflater.reset();
        // Without the zlib wrapping the end of the data is not marked by a checksum.
        inflater.setInput(packed);
        while (cluster.hasRemaining()) {
          if (inflater.inflate(cluster) == 0) {
            return false;
          }
        }
        return true;
      } catch (DataFormatException e) {
        return false;
      }
    }

    @Override
    public void close() {
      deflater.close();
      inflater.close();
    }
  }

  /** zstd frames, which in images are followed by bytes that do not belong to them. */
  final class ZstdFrames implements ClusterPacker {
    static final int MAX_LEVEL = 22;

    private final ZstdCompressCtx packing;
    private final ZstdDecompressCtx unpacking = new ZstdDecompressCtx();
    private final int clusterBytes;

    /** Holds a packed cluster, which may be longer than a plain one. */
    private final ByteBuffer memory;

    private ZstdFrames(int clusterBytes, int level) {
      this.clusterBytes = clusterBytes;
      this.packing = new ZstdCompressCtx().setLevel(level);
      this.memory = ByteBuffer.allocateDirect((int) Zstd.compressBound(2L * clusterBytes));
    }

    @Override
    public byte @Nullable [] pack(ByteBuffer cluster) {
      memory.clear();
      int length =
          packing.compressDirectByteBuffer(memory, 0, memory.capacity(), cluster, 0, clusterBytes);
      if (length >= clusterBytes) {
        return null;
      }
      byte[] packed = new byte[length];
      memory.get(0, packed);
      return packed;
    }

    @Override
    public boolean unpack(ByteBuffer packed, ByteBuffer cluster) {
      try {
        unpacking.reset();
        boolean ended = false;
        while (!ended && cluster.hasRemaining()) {
          int before = cluster.position() + packed.position();
          ended = unpacking.decompressDirectByteBufferStream(cluster, packed);
          if (!ended && cluster.position() + packed.position() == before) {
            return false; // no progress: cut off
          }
        }
        return cluster.position() == clusterBytes;
      } catch (ZstdException e) {
        return false;
      }
    }

    @Override
    public void close() {
      packing.close();
      unpacking.close();
    }
  }
}

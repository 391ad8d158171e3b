package org.tinamou.drivers.format.qcow2;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Clusters as zstd frames, which in images are followed by bytes that do not belong to them. */
final class ZstdFrames {
  static final int MAX_LEVEL = 22;

  private ZstdFrames() {}

  /** Whether the frame filled the target. */
  static boolean unpack(byte[] packed, ByteBuffer target, int wantedBytes) {
    ByteBuffer source = ByteBuffer.allocateDirect(packed.length).put(packed).flip();
    try (ZstdDecompressCtx context = new ZstdDecompressCtx()) {
      boolean ended = false;
      while (!ended && target.hasRemaining()) {
        int before = target.position() + source.position();
        ended = context.decompressDirectByteBufferStream(target, source);
        if (!ended && target.position() + source.position() == before) {
          return false; // no progress: cut off
        }
      }
      return target.position() == wantedBytes;
    } catch (ZstdException e) {
      return false;
    }
  }

  /**
   * The frame of a cluster, or null if it is not shorter.
   *
   * @param level up to {@link #MAX_LEVEL}; below 1 for the usual one
   */
  static byte @Nullable [] pack(ByteBuffer cluster, int clusterBytes, int level) {
    ByteBuffer target = ByteBuffer.allocateDirect((int) Zstd.compressBound(clusterBytes));
    int length = Zstd.compress(target, cluster, level < 1 ? Zstd.defaultCompressionLevel() : level);
    if (length >= clusterBytes) {
      return null;
    }
    byte[] packed = new byte[length];
    target.flip().get(packed);
    return packed;
  }
}

package org.tinamou.drivers.format.qcow2;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/** Packs and unpacks clusters on the workers, so that no loop waits for it. */
public final class ClusterCodec {
  /** The usual effort. */
  public static final int USUAL_LEVEL = -1;

  private final int type;
  private final int clusterBytes;
  private final int level;
  private final ReentrantLock lock = new ReentrantLock();

  /** As many as there have been workers at a time. */
  private final ArrayDeque<ClusterPacker> idle = new ArrayDeque<>();

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

  /**
   * A codec for whoever writes clusters without an image.
   *
   * @param zstd whether the method is zstd, not deflate
   * @param level from 1, or {@link #USUAL_LEVEL}
   * @throws BlockException with EINVAL if the method has no such level
   */
  public static ClusterCodec of(boolean zstd, int clusterBytes, int level) throws BlockException {
    int type = zstd ? Qcow2Header.COMPRESSION_ZSTD : Qcow2Header.COMPRESSION_ZLIB;
    if (level != USUAL_LEVEL) {
      checkLevel(type, level);
    }
    return new ClusterCodec(type, clusterBytes, level);
  }

  /** Refuses a level that a method does not have. */
  static void checkLevel(int type, long level) throws BlockException {
    if (level < 1 || level > maxLevel(type)) {
      throw new BlockException(
          Errno.EINVAL, "The compression level must be between 1 and " + maxLevel(type));
    }
  }

  /** The most effort a method can make. */
  static int maxLevel(int type) {
    return type == Qcow2Header.COMPRESSION_ZSTD
        ? ClusterPacker.ZstdFrames.MAX_LEVEL
        : Deflater.BEST_COMPRESSION;
  }

  /**
   * Unpacks clusters one after the other by one worker.
   *
   * @param packed off-heap; each may go on behind the end of the packed data
   * @param clusters where they go, off-heap
   * @throws BlockException with EIO if one is not the packed form of a whole cluster
   */
  @InCoroutine
  void unpack(MemorySegment[] packed, MemorySegment clusters) throws BlockException {
    boolean whole = Coroutine.current().context().callBlocking(() -> tryUnpack(packed, clusters));
    if (!whole) {
      throw BlockException.of(Errno.EIO, "unpack a compressed cluster");
    }
  }

  @AnyThread
  private boolean tryUnpack(MemorySegment[] packed, MemorySegment clusters) {
    ClusterPacker packer = take();
    try {
      for (int i = 0; i < packed.length; i++) {
        MemorySegment cluster = clusters.asSlice((long) i * clusterBytes, clusterBytes);
        if (!packer.unpack(packed[i].asByteBuffer(), cluster.asByteBuffer())) {
          return false;
        }
      }
      return true;
    } finally {
      give(packer);
    }
  }

  /** Packs a cluster, which is off-heap memory; null if that saves nothing. */
  @InCoroutine
  public byte @Nullable [] pack(MemorySegment cluster) {
    byte[] packed = Coroutine.current().context().callBlocking(() -> packedOrEmpty(cluster));
    return packed.length == 0 ? null : packed;
  }

  /**
   * Packs clusters one after the other by one worker; empty arrays stand for those that are not
   * shorter then.
   *
   * @param clusters whole ones, off-heap
   */
  @InCoroutine
  byte[][] packAll(MemorySegment clusters) {
    return Coroutine.current()
        .context()
        .callBlocking(
            () -> {
              byte[][] all = new byte[(int) (clusters.byteSize() / clusterBytes)][];
              for (int i = 0; i < all.length; i++) {
                all[i] = packedOrEmpty(clusters.asSlice((long) i * clusterBytes, clusterBytes));
              }
              return all;
            });
  }

  @AnyThread
  private byte[] packedOrEmpty(MemorySegment cluster) {
    ClusterPacker packer = take();
    try {
      byte[] packed = packer.pack(cluster.asByteBuffer());
      return packed == null ? new byte[0] : packed;
    } finally {
      give(packer);
    }
  }

  private ClusterPacker take() {
    lock.lock();
    try {
      ClusterPacker packer = idle.pollLast();
      if (packer != null) {
        return packer;
      }
    } finally {
      lock.unlock();
    }
    return ClusterPacker.of(type, clusterBytes, level);
  }

  private void give(ClusterPacker packer) {
    lock.lock();
    try {
      idle.addLast(packer);
    } finally {
      lock.unlock();
    }
  }

  /** Frees the memory, which nobody uses any more. */
  @AnyThread
  public void close() {
    idle.forEach(ClusterPacker::close);
    idle.clear();
  }
}

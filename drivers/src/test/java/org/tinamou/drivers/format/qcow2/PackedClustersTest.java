package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.PackingImage;
import org.tinamou.drivers.protocol.file.OnLoop;

/** Compressed clusters are packed before they are written, and read many at a time. */
class PackedClustersTest {
  private static final int CLUSTER = Qcow2Files.CLUSTER_BYTES;
  private static final int CLUSTERS = 80;

  @TempDir Path directory;

  /** Some that can be packed, some that cannot, and the last one's end missing. */
  private static byte[] content() {
    Random random = new Random(5);
    byte[] all = new byte[CLUSTERS * CLUSTER - 4096];
    for (int cluster = 0; cluster < CLUSTERS; cluster++) {
      int end = Math.min(all.length, (cluster + 1) * CLUSTER);
      if (cluster % 7 == 3) {
        byte[] noise = new byte[end - cluster * CLUSTER];
        random.nextBytes(noise);
        System.arraycopy(noise, 0, all, cluster * CLUSTER, noise.length);
      } else {
        Arrays.fill(all, cluster * CLUSTER, end, (byte) cluster);
        all[cluster * CLUSTER + random.nextInt(4096)] = 99;
      }
    }
    return all;
  }

  private Path create(boolean zstd, byte[] content) throws Exception {
    Path image = directory.resolve("image.qcow2");
    OnLoop.run(
        context -> {
          Qcow2Files.create(
              context,
              image,
              new Qcow2Creator.Request(
                  content.length,
                  true,
                  CLUSTER,
                  Qcow2Creator.Request.DEFAULT_REFCOUNT_BITS,
                  false,
                  zstd ? "zstd" : "zlib",
                  PreallocationMode.OFF,
                  null,
                  null,
                  Qcow2Creator.Request.ofSize(0).extras()));
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          PackingImage packing = (PackingImage) Objects.requireNonNull(disk.node.driverOrNull());
          try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(content.length);
            memory.copyFrom(MemorySegment.ofArray(content));
            packing.packAhead(0, memory);
            // What was packed from other memory is not what this one's writer means.
            packing.packAhead(20L * CLUSTER, arena.allocate(10L * CLUSTER));
            for (int half = 0; half < 2; half++) {
              for (int cluster = half * 40; cluster < (half + 1) * 40; cluster++) {
                int index = half == 0 ? cluster : 119 - cluster; // backwards in the second half
                long at = (long) index * CLUSTER;
                long length = Math.min(CLUSTER, content.length - at);
                disk.backend.write(
                    at, IoVector.of(memory.asSlice(at, length)), RequestFlags.COMPRESSED);
              }
            }
          }
          disk.backend.flush();
          disk.close();
        });
    return image;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void rowsAreReadAsTheyWereWritten(boolean zstd) throws Exception {
    byte[] content = content();
    Path image = create(zstd, content);
    OnLoop.run(
        context -> {
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_ONLY);
          assertArrayEquals(content, disk.read(0, content.length));
          int from = 5 * CLUSTER + 512;
          int length = 30 * CLUSTER;
          assertArrayEquals(
              Arrays.copyOfRange(content, from, from + length), disk.read(from, length));
          disk.close();
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void damageInARowIsAnError(boolean zstd) throws Exception {
    byte[] content = content();
    Path image = create(zstd, content);
    long entry = Qcow2Files.peek(image, Qcow2Files.SECOND_LEVEL + 8 * 9);
    long offset = entry & (1L << 54) - 1;
    Qcow2Files.poke(image, offset, 8, -1);
    OnLoop.run(
        context -> {
          Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_ONLY);
          BlockException refused =
              assertThrows(BlockException.class, () -> disk.read(8 * CLUSTER, 4 * CLUSTER));
          assertEquals(Errno.EIO, refused.errno());
          assertArrayEquals(Arrays.copyOf(content, 8 * CLUSTER), disk.read(0, 8 * CLUSTER));
          disk.close();
        });
  }
}

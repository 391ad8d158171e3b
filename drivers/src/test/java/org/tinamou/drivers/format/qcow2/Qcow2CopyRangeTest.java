package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.aio.AioContext;
import org.tinamou.base.IoVector;
import org.tinamou.block.CheckRepair;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.protocol.file.OnLoop;

/**
 * The host copies ranges from image to image: between any places, with what is around them kept.
 */
class Qcow2CopyRangeTest {
  private static final int DISK_BYTES = 2 << 20;
  private static final int BELOW_BYTES = DISK_BYTES - 300_000;
  private static final int COROUTINES = 3;
  private static final int COPIES = 25;

  @TempDir Path directory;

  private static Qcow2Creator.Request over(String name, int clusterBytes) {
    return new Qcow2Creator.Request(
        DISK_BYTES,
        true,
        clusterBytes,
        16,
        false,
        "zlib",
        PreallocationMode.OFF,
        name,
        "raw",
        Qcow2Creator.Extras.NONE);
  }

  /**
   * An image over a shorter one, with data and zeroes here and there; its content goes to model.
   */
  private Qcow2Files.Disk make(
      AioContext context, String name, int clusterBytes, byte[] model, Random random)
      throws Exception {
    byte[] below = new byte[BELOW_BYTES];
    random.nextBytes(below);
    System.arraycopy(below, 0, model, 0, BELOW_BYTES);
    Files.write(directory.resolve(name + ".raw"), below);
    Path image = directory.resolve(name);
    Qcow2Files.create(context, image, over(name + ".raw", clusterBytes));
    Qcow2Files.Disk disk = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
    for (int i = 0; i < 12; i++) {
      int offset = random.nextInt(DISK_BYTES - 100_000);
      int length = 1 + random.nextInt(100_000);
      if (i % 3 == 0) {
        disk.backend.writeZeroes(offset, length, RequestFlags.NONE);
        Arrays.fill(model, offset, offset + length, (byte) 0);
      } else {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        disk.write(offset, bytes);
        System.arraycopy(bytes, 0, model, offset, length);
      }
    }
    return disk;
  }

  @ParameterizedTest
  @ValueSource(ints = {512, 4096, 65_536})
  void whatIsAroundACopyStays(int clusterBytes) throws Exception {
    OnLoop.run(
        context -> {
          Random random = new Random(clusterBytes);
          byte[] source = new byte[DISK_BYTES];
          byte[] target = new byte[DISK_BYTES];
          Qcow2Files.Disk from = make(context, "from", 32_768, source, random);
          Qcow2Files.Disk to = make(context, "to", clusterBytes, target, random);
          List<AioContext.Forked<Integer>> workers = new ArrayList<>();
          for (int i = 0; i < COROUTINES; i++) {
            int start = DISK_BYTES / COROUTINES * i;
            Random own = new Random(random.nextLong());
            workers.add(
                context.fork("worker " + i, () -> copySome(from, source, to, target, start, own)));
          }
          int copied = 0;
          for (AioContext.Forked<Integer> worker : workers) {
            copied += worker.join();
          }
          assertTrue(copied > COPIES, copied + " copies");
          assertArrayEquals(target, to.read(0, DISK_BYTES));
          to.backend.flush();
          assertEquals(0, to.check(CheckRepair.NONE).corruptions());
          to.close();
          assertArrayEquals(source, from.read(0, DISK_BYTES));
          from.close();
        });
  }

  /** Into a part of the disk that no other coroutine touches, though they share clusters. */
  private static int copySome(
      Qcow2Files.Disk from,
      byte[] source,
      Qcow2Files.Disk to,
      byte[] target,
      int start,
      Random random)
      throws Exception {
    int copied = 0;
    for (int i = 0; i < COPIES; i++) {
      int length = 1 + random.nextInt(150_000);
      int sourceOffset = random.nextInt(DISK_BYTES - length);
      int offset = start + random.nextInt(DISK_BYTES / COROUTINES - length);
      int none = RequestFlags.NONE;
      if (from.backend.copyRange(sourceOffset, to.backend, offset, length, none, none)) {
        copied++;
      } else {
        to.write(offset, Arrays.copyOfRange(source, sourceOffset, sourceOffset + length));
      }
      System.arraycopy(source, sourceOffset, target, offset, length);
    }
    return copied;
  }

  @Test
  void packedClustersAreNotCopied() throws Exception {
    OnLoop.run(
        context -> {
          Path image = Qcow2Files.create(context, directory.resolve("packed"));
          Qcow2Files.Disk from = Qcow2Files.open(context, image, "qcow2", NodeOptions.READ_WRITE);
          from.backend.writeZeroes(0, Qcow2Files.DATA_BYTES, RequestFlags.MAY_UNMAP);
          from.backend.writeZeroes(Qcow2Files.DATA_BYTES, 1 << 16, RequestFlags.MAY_UNMAP);
          try (Arena arena = Arena.ofShared()) {
            from.backend.write(
                0, IoVector.of(arena.allocate(Qcow2Files.CLUSTER_BYTES)), RequestFlags.COMPRESSED);
          }
          Path other = Qcow2Files.create(context, directory.resolve("other"));
          Qcow2Files.Disk to = Qcow2Files.open(context, other, "qcow2", NodeOptions.READ_WRITE);
          assertFalse(from.backend.copyRange(0, to.backend, 0, 4096, 0, 0));
          assertTrue(from.backend.copyRange(Qcow2Files.DATA_BYTES, to.backend, 0, 4096, 0, 0));
          assertArrayEquals(new byte[4096], to.read(0, 4096));
          from.close();
          to.close();
        });
  }
}

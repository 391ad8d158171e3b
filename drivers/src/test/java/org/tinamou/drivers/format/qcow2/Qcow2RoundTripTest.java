package org.tinamou.drivers.format.qcow2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.DriverList;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.format.raw.RawType;
import org.tinamou.drivers.protocol.file.FileType;
import org.tinamou.drivers.protocol.file.OnLoop;
import org.tinamou.objects.ObjectRegistry;

/** Images are written at random by several coroutines, read back, and judged by the reference. */
class Qcow2RoundTripTest {
  private static final int DISK_BYTES = 3 << 20;
  private static final int COROUTINES = 4;
  private static final int OPERATIONS = 60;

  @TempDir Path directory;

  private static DriverList drivers() {
    List<DriverType> types = new ArrayList<>(FileType.all());
    types.add(new RawType());
    types.add(new Qcow2Type(ObjectRegistry.none()));
    return new DriverList(
        types, Set.of(), (header, name) -> header[0] == 'Q' && header[3] == -5 ? "qcow2" : null);
  }

  private static BlockBackend open(AioContext context, String name, @Nullable String driver)
      throws BlockException {
    BlockGraph graph = new BlockGraph(context);
    NodeOpener opener = new NodeOpener(graph, drivers());
    NodeOptions options = NodeOptions.READ_WRITE.withDiscardUnmap(true);
    BlockNode node = opener.open(ImageAddress.ofName(name, driver), options, context);
    int permissions = Permission.CONSISTENT_READ | Permission.WRITE | Permission.RESIZE;
    BlockBackend backend = new BlockBackend(graph, "", context, permissions, Permission.ALL);
    backend.insert(node);
    graph.release(node);
    return backend;
  }

  private static void create(AioContext context, Path image, Qcow2Creator.Request request)
      throws Exception {
    Files.write(image, new byte[0]);
    BlockBackend file = open(context, image.toString(), "file");
    Qcow2Creator.create(file, request);
    file.close();
  }

  private static byte[] read(BlockBackend disk, long offset, int length) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(length);
      buffer.fill((byte) 0x55);
      disk.read(offset, IoVector.of(buffer), RequestFlags.NONE);
      return buffer.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static void write(BlockBackend disk, long offset, byte[] bytes, int flags)
      throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(bytes.length);
      buffer.copyFrom(MemorySegment.ofArray(bytes));
      disk.write(offset, IoVector.of(buffer), flags);
    }
  }

  /** Works on a part of the disk that no other coroutine touches, though they share clusters. */
  private static void change(
      BlockBackend disk, byte[] model, int from, int to, int clusterBytes, Random random)
      throws BlockException {
    for (int i = 0; i < OPERATIONS; i++) {
      int offset = from + random.nextInt(to - from);
      int length = 1 + random.nextInt(Math.min(to - offset, 1 + random.nextInt(200_000)));
      switch (random.nextInt(8)) {
        case 0, 1, 2, 3 -> {
          byte[] bytes = new byte[length];
          random.nextBytes(bytes);
          write(disk, offset, bytes, RequestFlags.NONE);
          System.arraycopy(bytes, 0, model, offset, length);
        }
        case 4 -> {
          int flags = random.nextBoolean() ? RequestFlags.MAY_UNMAP : RequestFlags.NONE;
          disk.writeZeroes(offset, length, flags);
          Arrays.fill(model, offset, offset + length, (byte) 0);
        }
        case 5 -> {
          int cluster = (offset + clusterBytes - 1) / clusterBytes * clusterBytes;
          if (cluster + clusterBytes <= to) {
            byte[] bytes = new byte[clusterBytes];
            Arrays.fill(bytes, (byte) (1 + random.nextInt(100)));
            disk.writeZeroes(cluster, clusterBytes, RequestFlags.MAY_UNMAP);
            write(disk, cluster, bytes, RequestFlags.COMPRESSED);
            assertEquals(
                Errno.EIO,
                assertThrows(
                        BlockException.class,
                        () -> write(disk, cluster, bytes, RequestFlags.COMPRESSED))
                    .errno());
            System.arraycopy(bytes, 0, model, cluster, clusterBytes);
          }
        }
        case 6 -> disk.flush();
        default ->
            assertArrayEquals(
                Arrays.copyOfRange(model, offset, offset + length), read(disk, offset, length));
      }
    }
  }

  private static void changeAll(
      AioContext context, BlockBackend disk, byte[] model, int clusterBytes, long seed)
      throws Exception {
    List<AioContext.Forked<Boolean>> workers = new ArrayList<>();
    for (int i = 0; i < COROUTINES; i++) {
      int from = DISK_BYTES / COROUTINES * i + (i == 0 ? 0 : 777);
      int to = i == COROUTINES - 1 ? DISK_BYTES : DISK_BYTES / COROUTINES * (i + 1) + 777;
      Random random = new Random(seed * COROUTINES + i);
      workers.add(
          context.fork(
              "worker " + i,
              () -> {
                change(disk, model, from, to, clusterBytes, random);
                return true;
              }));
    }
    for (AioContext.Forked<Boolean> worker : workers) {
      worker.join();
    }
  }

  private static boolean hasReference() {
    boolean installed =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "qemu-img")));
    if (!installed) {
      assertFalse(Boolean.getBoolean("tinamou.peers.required"), "qemu-utils is not installed");
    }
    return installed;
  }

  private static void reference(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.waitFor(), String.join(" ", command) + ":\n" + output);
  }

  @ParameterizedTest
  @CsvSource({
    "3, 65536, 16, zlib, 1",
    "3, 65536, 16, zstd, 2",
    "3, 512, 16, zlib, 3",
    "3, 4096, 1, zlib, 4",
    "3, 1024, 64, zstd, 5",
    "3, 2097152, 2, zlib, 6",
    "2, 65536, 16, zlib, 7",
    "3, 8192, 4, zlib, 8",
    "3, 32768, 32, zlib, 9",
    "3, 16384, 8, zlib, 10",
  })
  void whatIsWrittenIsRead(
      int version, int clusterBytes, int refcountBits, String compression, long seed)
      throws Exception {
    boolean reference = hasReference();
    OnLoop.run(
        context -> {
          Path image = directory.resolve(seed + ".qcow2");
          create(
              context,
              image,
              new Qcow2Creator.Request(
                  DISK_BYTES,
                  version == 3,
                  clusterBytes,
                  refcountBits,
                  false,
                  compression,
                  PreallocationMode.OFF,
                  null,
                  null,
                  Qcow2Creator.Extras.NONE));
          byte[] model = new byte[DISK_BYTES];
          for (int round = 0; round < 2; round++) {
            BlockBackend disk = open(context, image.toString(), "qcow2");
            assertArrayEquals(model, read(disk, 0, DISK_BYTES), "after reopening");
            changeAll(context, disk, model, clusterBytes, seed + 100L * round);
            assertArrayEquals(model, read(disk, 0, DISK_BYTES));
            disk.flush();
            disk.close();
          }
          if (reference) {
            Path raw = Files.write(directory.resolve(seed + ".raw"), model);
            reference("qemu-img", "check", "-q", "-f", "qcow2", image.toString());
            reference("qemu-img", "compare", "-q", "-F", "raw", image.toString(), raw.toString());
          }
        });
    assumeTrue(reference, "LEFT OUT: the reference's opinion (qemu-img is not installed)");
  }

  @Test
  void whatIsNotWrittenIsReadFromBelow() throws Exception {
    boolean reference = hasReference();
    OnLoop.run(
        context -> {
          byte[] model = new byte[DISK_BYTES];
          byte[] below = new byte[DISK_BYTES - 100_352];
          new Random(1).nextBytes(below);
          System.arraycopy(below, 0, model, 0, below.length);
          Files.write(directory.resolve("base.raw"), below);
          Path image = directory.resolve("top.qcow2");
          create(
              context,
              image,
              new Qcow2Creator.Request(
                  DISK_BYTES,
                  true,
                  65_536,
                  16,
                  false,
                  "zlib",
                  PreallocationMode.OFF,
                  "base.raw",
                  "raw",
                  Qcow2Creator.Extras.NONE));
          BlockBackend disk = open(context, image.toString(), null);
          assertArrayEquals(model, read(disk, 0, DISK_BYTES));
          changeAll(context, disk, model, 65_536, 17);
          assertArrayEquals(model, read(disk, 0, DISK_BYTES));
          disk.close();
          assertArrayEquals(below, Files.readAllBytes(directory.resolve("base.raw")));
          if (reference) {
            Path raw = Files.write(directory.resolve("model.raw"), model);
            reference("qemu-img", "check", "-q", image.toString());
            reference("qemu-img", "compare", "-q", "-F", "raw", image.toString(), raw.toString());
          }
        });
    assumeTrue(reference, "LEFT OUT: the reference's opinion (qemu-img is not installed)");
  }

  @Test
  void theDiskGrowsAndShrinks() throws Exception {
    boolean reference = hasReference();
    OnLoop.run(
        context -> {
          Path image = directory.resolve("size.qcow2");
          create(context, image, Qcow2Creator.Request.ofSize(1 << 20));
          BlockBackend disk = open(context, image.toString(), null);
          byte[] ones = new byte[1 << 20];
          Arrays.fill(ones, (byte) 1);
          write(disk, 0, ones, RequestFlags.NONE);
          disk.truncate(100_352, true, PreallocationMode.OFF);
          disk.truncate(2L << 30, true, PreallocationMode.OFF);
          assertEquals(2L << 30, disk.lengthBytes());
          byte[] got = read(disk, 0, 1 << 20);
          Arrays.fill(ones, 100_352, ones.length, (byte) 0);
          assertArrayEquals(ones, got);
          write(disk, (2L << 30) - 512, new byte[512], RequestFlags.NONE);
          disk.truncate(3L << 30, true, PreallocationMode.METADATA);
          disk.close();
          if (reference) {
            reference("qemu-img", "check", "-q", image.toString());
          }
          BlockBackend again = open(context, image.toString(), null);
          assertArrayEquals(ones, read(again, 0, 1 << 20));
          again.close();
        });
    assumeTrue(reference, "LEFT OUT: the reference's opinion (qemu-img is not installed)");
  }
}

package org.tinamou.drivers.protocol.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;

class FileDriverTest {
  private static final int SIZE = 256 << 10;

  @TempDir Path directory;
  private Path file;
  private byte[] content;

  @BeforeEach
  void makeFile() throws IOException {
    file = directory.resolve("image");
    content = new byte[SIZE];
    new Random(7).nextBytes(content);
    Files.write(file, content);
  }

  private FileDriver open(AioContext context, CacheMode cache) throws BlockException {
    return FileDriver.open(context, file, "image", FileOptions.writing(cache));
  }

  private static byte[] read(FileDriver driver, long offset, int length) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(Math.max(length, 1)).asSlice(0, length);
      buffer.fill((byte) 0x55);
      driver.read(IoVector.of(buffer), offset);
      return buffer.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static void write(FileDriver driver, byte[] bytes, long offset) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(Math.max(bytes.length, 1)).asSlice(0, bytes.length);
      MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
      driver.write(IoVector.of(buffer), offset);
    }
  }

  private byte[] expected(int offset, int length) {
    byte[] part = new byte[length];
    System.arraycopy(content, offset, part, 0, Math.min(length, Math.max(0, SIZE - offset)));
    return part;
  }

  @ParameterizedTest
  @EnumSource(CacheMode.class)
  void everyCacheModeMovesBytesOfAnyOffsetAndLength(CacheMode cache) throws Exception {
    OnLoop.run(
        context -> {
          FileDriver driver = open(context, cache);
          Random random = new Random(cache.ordinal());
          for (int round = 0; round < 60; round++) {
            int offset = random.nextInt(SIZE);
            int length = random.nextInt(Math.min(9000, SIZE - offset) + 1);
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            write(driver, bytes, offset);
            System.arraycopy(bytes, 0, content, offset, length);
            int start = random.nextInt(SIZE - 10000);
            assertArrayEquals(expected(start, 10000), read(driver, start, 10000));
          }
          driver.flush();
          driver.close();
        });
    assertArrayEquals(content, Files.readAllBytes(file));
  }

  @Test
  void readsBeyondTheEndDeliverZeroes() throws Exception {
    OnLoop.run(
        context -> {
          for (CacheMode cache : List.of(CacheMode.WRITEBACK, CacheMode.NONE)) {
            FileDriver driver = open(context, cache);
            assertArrayEquals(expected(SIZE - 100, 1000), read(driver, SIZE - 100, 1000));
            assertArrayEquals(new byte[700], read(driver, SIZE + 5000, 700));
            assertArrayEquals(new byte[0], read(driver, SIZE + 5000, 0));
            driver.close();
          }
        });
  }

  @Test
  void partialDirectWritesAtTheEndExtendByWhatWasWritten() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver driver = open(context, CacheMode.NONE);
          write(driver, new byte[] {1, 2, 3}, SIZE + 10);
          assertEquals(SIZE + 13, driver.lengthBytes());
          driver.truncate(SIZE, PreallocationMode.OFF);
          driver.close();
        });
  }

  @Test
  void overlappingPartialDirectWritesKeepEachOthersBytes() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver driver = open(context, CacheMode.NONE);
          List<AioContext.Forked<Boolean>> writers = new java.util.ArrayList<>();
          for (int index = 0; index < 64; index++) {
            byte value = (byte) index;
            long offset = 8192 + index * 13L;
            writers.add(
                context.fork(
                    "writer " + index,
                    () -> {
                      byte[] bytes = new byte[13];
                      java.util.Arrays.fill(bytes, value);
                      write(driver, bytes, offset);
                      return true;
                    }));
          }
          for (AioContext.Forked<Boolean> writer : writers) {
            writer.join();
          }
          byte[] written = read(driver, 8192, 64 * 13);
          for (int index = 0; index < written.length; index++) {
            assertEquals(index / 13, written[index]);
          }
          driver.close();
        });
  }

  @Test
  void zeroesAndDiscardsMakeHoles() throws Exception {
    OnLoop.run(
        context -> {
          Files.write(file, content);
          FileDriver driver = open(context, CacheMode.WRITEBACK);
          driver.writeZeroes(4096, 8192, true, false);
          driver.writeZeroes(100, 50, false, false);
          driver.discard(64 << 10, 4096);
          driver.writeZeroes(5, 0, true, true);
          assertArrayEquals(new byte[8192], read(driver, 4096, 8192));
          assertArrayEquals(new byte[50], read(driver, 100, 50));
          assertArrayEquals(new byte[4096], read(driver, 64 << 10, 4096));
          assertArrayEquals(expected(12288, 5000), read(driver, 12288, 5000));
          assertEquals(new FileExtent(4096, true), driver.extentAt(0, SIZE));
          assertEquals(new FileExtent(8192, false), driver.extentAt(4096, SIZE - 4096));
          assertEquals(new FileExtent(100, false), driver.extentAt(5000, 100));
          assertEquals(
              new FileExtent((64 << 10) - 12288, true), driver.extentAt(12288, SIZE - 12288));
          assertEquals(new FileExtent(77, false), driver.extentAt(SIZE + 5L, 77));
          driver.close();
        });
  }

  @Test
  void zeroesBeyondTheEndExtend() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver driver = open(context, CacheMode.WRITEBACK);
          driver.writeZeroes(SIZE, 1000, true, false);
          assertEquals(SIZE + 1000, driver.lengthBytes());
          driver.writeZeroes(SIZE + 1000, 24, false, false);
          assertEquals(SIZE + 1024, driver.lengthBytes());
          driver.truncate(SIZE, PreallocationMode.OFF);
          driver.close();
        });
  }

  @Test
  void truncationPreallocatesAsAsked() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver driver = open(context, CacheMode.WRITEBACK);
          driver.truncate(0, PreallocationMode.OFF);
          assertEquals(0, driver.allocatedBytes());
          driver.truncate(1 << 20, PreallocationMode.FALLOC);
          assertTrue(driver.allocatedBytes() >= 1 << 20);
          driver.truncate(2 << 20, PreallocationMode.FULL);
          assertTrue(driver.allocatedBytes() >= 2 << 20);
          assertEquals(
              Errno.EOPNOTSUPP,
              assertThrows(
                      BlockException.class, () -> driver.truncate(1000, PreallocationMode.FALLOC))
                  .errno());
          assertEquals(
              "Unsupported preallocation mode: metadata",
              assertThrows(
                      BlockException.class,
                      () -> driver.truncate(3 << 20, PreallocationMode.METADATA))
                  .getMessage());
          driver.truncate(SIZE, PreallocationMode.OFF);
          driver.close();
        });
  }

  @Test
  void copiesInsideTheHost() throws Exception {
    Path other = directory.resolve("other");
    OnLoop.run(
        context -> {
          Files.write(other, new byte[100]);
          FileDriver source = open(context, CacheMode.WRITEBACK);
          FileDriver target =
              FileDriver.open(context, other, "other", FileOptions.writing(CacheMode.WRITEBACK));
          long copied = target.copyFrom(source, 1000, 5, 3000);
          assertTrue(copied > 0 && copied <= 3000);
          assertArrayEquals(expected(1000, (int) copied), read(target, 5, (int) copied));
          source.close();
          target.close();
        });
  }

  @Test
  void whatCannotBeOpenedSaysWhy() throws Exception {
    OnLoop.run(
        context -> {
          BlockException missing =
              assertThrows(
                  BlockException.class,
                  () ->
                      FileDriver.open(
                          context,
                          directory.resolve("no"),
                          "no",
                          FileOptions.reading(CacheMode.WRITEBACK)));
          assertEquals("Could not open 'no': No such file or directory", missing.getMessage());
          assertEquals(Errno.ENOENT, missing.errno());
          assertEquals(
              "'file' driver requires 'd' to be a regular file",
              assertThrows(
                      BlockException.class,
                      () ->
                          FileDriver.open(
                              context, directory, "d", FileOptions.reading(CacheMode.WRITEBACK)))
                  .getMessage());
        });
  }
}

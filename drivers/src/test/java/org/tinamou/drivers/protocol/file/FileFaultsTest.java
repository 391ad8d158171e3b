package org.tinamou.drivers.protocol.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.IoOp;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;
import org.tinamou.block.PreallocationMode;

/** What the driver makes of a host that does half of what it was asked, or nothing. */
class FileFaultsTest {
  private static final int SIZE = 100_000;
  private static final long NO_LIMIT = Long.MAX_VALUE;

  @TempDir Path directory;
  private Path file;
  private final byte[] content = new byte[SIZE];

  @BeforeEach
  void makeFile() throws IOException {
    file = directory.resolve("image");
    new Random(3).nextBytes(content);
    Files.write(file, content);
  }

  private FileDriver open(AioContext context) throws BlockException {
    return FileDriver.open(context, file, "image", FileOptions.writing(CacheMode.WRITEBACK));
  }

  @Test
  void shortAndInterruptedTransfersGoOnWhereTheyStopped() throws Exception {
    Random random = new Random(11);
    FaultyPoller poller =
        new FaultyPoller(
            (op, offset, length) ->
                random.nextInt(5) == 0 ? -Errno.EINTR.number() : 1 + random.nextInt(5000));
    OnLoop.run(
        poller,
        context -> {
          FileDriver driver = open(context);
          try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(SIZE);
            IoVector pieces =
                IoVector.of(
                    List.of(
                        memory.asSlice(0, 7),
                        memory.asSlice(7, 60_000),
                        memory.asSlice(60_007, SIZE - 60_007)));
            driver.read(pieces, 0);
            assertArrayEquals(content, memory.toArray(ValueLayout.JAVA_BYTE));
            for (int index = 0; index < SIZE; index++) {
              content[index] ^= 0x5a;
              memory.set(ValueLayout.JAVA_BYTE, index, content[index]);
            }
            driver.write(pieces, 0);
          }
          driver.close();
        });
    assertArrayEquals(content, Files.readAllBytes(file));
  }

  @Test
  void vectorsLongerThanOneCallAreSplit() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver driver = open(context);
          try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(30_000);
            List<MemorySegment> parts = new java.util.ArrayList<>();
            for (int index = 0; index < 3000; index++) {
              parts.add(memory.asSlice(index * 10L, 10));
            }
            driver.read(IoVector.of(parts), 500);
            assertArrayEquals(
                java.util.Arrays.copyOfRange(content, 500, 30_500),
                memory.toArray(ValueLayout.JAVA_BYTE));
          }
          driver.close();
        });
  }

  @Test
  void errorsKeepTheirKind() throws Exception {
    FaultyPoller poller =
        new FaultyPoller(
            (op, offset, length) ->
                op == IoOp.WRITE ? -Errno.ENOSPC.number() : -Errno.EIO.number());
    OnLoop.run(
        poller,
        context -> {
          FileDriver driver = open(context);
          try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(10);
            assertEquals(
                Errno.EIO,
                assertThrows(BlockException.class, () -> driver.read(memory, 0)).errno());
            assertEquals(
                Errno.ENOSPC,
                assertThrows(BlockException.class, () -> driver.write(memory, 0)).errno());
          }
          driver.close();
        });
  }

  @Test
  void aWriteThatMovesNothingIsNoSuccess() throws Exception {
    OnLoop.run(
        new FaultyPoller((op, offset, length) -> 0),
        context -> {
          FileDriver driver = open(context);
          try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(10);
            assertEquals(
                Errno.ENOSPC,
                assertThrows(BlockException.class, () -> driver.write(memory, 0)).errno());
          }
          driver.close();
        });
  }

  @Test
  void afterAFailedFlushEveryFlushFailsUntilTheFileIsOpenedAnew() throws Exception {
    AtomicInteger flushes = new AtomicInteger();
    FaultyPoller poller =
        new FaultyPoller(
            (op, offset, length) ->
                op == IoOp.FDATASYNC && flushes.incrementAndGet() == 2
                    ? -Errno.EIO.number()
                    : NO_LIMIT);
    OnLoop.run(
        poller,
        context -> {
          FileDriver driver = open(context);
          try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(10);
            driver.write(memory, 0);
            driver.flush();
            driver.write(memory, 0);
            for (int round = 0; round < 3; round++) {
              assertEquals(Errno.EIO, assertThrows(BlockException.class, driver::flush).errno());
              driver.write(memory, 0);
            }
            assertEquals(2, flushes.get());
            driver.close();
            FileDriver again = open(context);
            again.write(memory, 0);
            again.flush();
            again.close();
          }
        });
  }

  @Test
  void flushingTwiceWithoutWritingAsksTheHostOnce() throws Exception {
    AtomicInteger flushes = new AtomicInteger();
    FaultyPoller poller =
        new FaultyPoller(
            (op, offset, length) -> {
              if (op == IoOp.FDATASYNC) {
                flushes.incrementAndGet();
              }
              return NO_LIMIT;
            });
    OnLoop.run(
        poller,
        context -> {
          FileDriver driver = open(context);
          driver.flush();
          driver.writeZeroes(0, 10, false, false);
          driver.flush();
          driver.flush();
          driver.close();
        });
    assertEquals(1, flushes.get());
  }

  @Test
  void zeroesAreWrittenWhereTheHostHasNoBetterWay() throws Exception {
    AtomicInteger refused = new AtomicInteger();
    FaultyPoller poller =
        new FaultyPoller(
            (op, offset, length) -> {
              if (op == IoOp.FALLOCATE) {
                refused.incrementAndGet();
                return -Errno.EOPNOTSUPP.number();
              }
              return NO_LIMIT;
            });
    OnLoop.run(
        poller,
        context -> {
          FileDriver driver = open(context);
          driver.writeZeroes(1000, 50_000, true, false);
          driver.writeZeroes(60_000, 10, true, false);
          // Punching and zeroing were each tried once and never again.
          assertEquals(2, refused.get());
          assertEquals(
              Errno.EOPNOTSUPP,
              assertThrows(BlockException.class, () -> driver.writeZeroes(0, 10, false, true))
                  .errno());
          driver.discard(80_000, 10);
          driver.close();
        });
    java.util.Arrays.fill(content, 1000, 51_000, (byte) 0);
    java.util.Arrays.fill(content, 60_000, 60_010, (byte) 0);
    assertArrayEquals(content, Files.readAllBytes(file));
  }

  @Test
  void fullDiskDuringPreallocationLeavesTheFileAsItWas() throws Exception {
    FaultyPoller poller =
        new FaultyPoller(
            (op, offset, length) ->
                op == IoOp.FALLOCATE || (op == IoOp.WRITE && offset > SIZE)
                    ? -Errno.ENOSPC.number()
                    : NO_LIMIT);
    OnLoop.run(
        poller,
        context -> {
          FileDriver driver = open(context);
          for (PreallocationMode mode : List.of(PreallocationMode.FALLOC, PreallocationMode.FULL)) {
            assertEquals(
                Errno.ENOSPC,
                assertThrows(BlockException.class, () -> driver.truncate(10 << 20, mode)).errno());
            assertEquals(SIZE, driver.lengthBytes());
          }
          driver.close();
        });
  }
}

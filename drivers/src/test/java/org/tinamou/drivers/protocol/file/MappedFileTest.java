package org.tinamou.drivers.protocol.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockException;

class MappedFileTest {
  private static final int SIZE = 1 << 20;

  @TempDir Path directory;

  private Path file(String name, int sizeBytes) throws Exception {
    byte[] content = new byte[sizeBytes];
    new Random(11).nextBytes(content);
    return Files.write(directory.resolve(name), content);
  }

  @Test
  void showsTheFileAsItIs() throws Exception {
    OnLoop.run(
        context -> {
          Path path = file("image", SIZE);
          byte[] content = Files.readAllBytes(path);
          FileDriver file =
              FileDriver.open(context, path, "image", FileOptions.writing(CacheMode.WRITEBACK));
          try (Arena arena = Arena.ofShared()) {
            MappedFile mapped = Objects.requireNonNull(MappedFile.of(file, arena));
            mapped.announce(SIZE / 2, SIZE);
            MemorySegment part = Objects.requireNonNull(mapped.at(SIZE / 2, SIZE / 4));
            assertEquals(
                -1, part.mismatch(MemorySegment.ofArray(content).asSlice(SIZE / 2, SIZE / 4)));
            file.write(IoVector.of(arena.allocate(512)), SIZE / 2);
            mapped.done(0, SIZE);
            assertEquals(0, part.get(ValueLayout.JAVA_LONG, 0));
            assertNull(mapped.at(SIZE / 2, SIZE));
          }
          file.close();
        });
  }

  @Test
  void whatWasReadDoesNotStayBetweenHoles() throws Exception {
    long apart = 3L << 20;
    int pieces = 64;
    Path path = directory.resolve("image");
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      byte[] data = new byte[SIZE];
      new Random(12).nextBytes(data);
      for (int piece = 0; piece < pieces; piece++) {
        sparse.seek(piece * apart);
        sparse.write(data);
      }
    }
    OnLoop.run(
        context -> {
          FileDriver file =
              FileDriver.open(context, path, "image", FileOptions.writing(CacheMode.WRITEBACK));
          try (Arena arena = Arena.ofShared()) {
            MappedFile mapped = Objects.requireNonNull(MappedFile.of(file, arena));
            byte[] copy = new byte[SIZE];
            for (int piece = 0; piece < pieces; piece++) {
              MemorySegment part = Objects.requireNonNull(mapped.at(piece * apart, SIZE));
              MemorySegment.copy(part, ValueLayout.JAVA_BYTE, 0, copy, 0, SIZE);
              mapped.done(piece * apart, SIZE);
            }
            long resident = residentBytes(path);
            assertTrue(resident < 12 * SIZE, () -> resident + " bytes");
          }
          file.close();
        });
  }

  /** How much of a mapped file is in the process's memory. */
  private static long residentBytes(Path path) throws Exception {
    boolean isIt = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        isIt = line.endsWith(path.toString());
      } else if (isIt && line.startsWith("Rss:")) {
        return Long.parseLong(line.replaceAll("\\D+", "")) << 10;
      }
    }
    throw new IllegalStateException(path + " is not mapped");
  }

  @Test
  void whatIsGoneIsAnErrorAndNoCrash() throws Exception {
    OnLoop.run(
        context -> {
          Path path = file("image", SIZE);
          FileDriver file =
              FileDriver.open(context, path, "image", FileOptions.writing(CacheMode.WRITEBACK));
          try (Arena arena = Arena.ofShared();
              RandomAccessFile other = new RandomAccessFile(path.toFile(), "rw")) {
            MappedFile mapped = Objects.requireNonNull(MappedFile.of(file, arena));
            MemorySegment part = Objects.requireNonNull(mapped.at(SIZE / 2, SIZE / 2));
            other.setLength(SIZE / 2);
            assertThrows(InternalError.class, () -> part.get(ValueLayout.JAVA_BYTE, 0));
            BlockException failed =
                assertThrows(BlockException.class, () -> file.write(IoVector.of(part), 0));
            assertEquals(Errno.EFAULT, failed.errno());
          }
          file.close();
        });
  }

  @Test
  void emptyFilesAndThosePastTheCacheAreRead() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver empty =
              FileDriver.open(
                  context, file("empty", 0), "image", FileOptions.writing(CacheMode.WRITEBACK));
          FileDriver direct =
              FileDriver.open(
                  context, file("direct", SIZE), "image", FileOptions.writing(CacheMode.NONE));
          try (Arena arena = Arena.ofShared()) {
            assertNull(MappedFile.of(empty, arena));
            assertNull(MappedFile.of(direct, arena));
          }
          empty.close();
          direct.close();
        });
  }
}

package org.tinamou.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.Zeroes;

class LinuxMemoryTest {
  @TempDir Path folder;

  @Test
  void pagesBelongToTheirArena() throws Exception {
    Arena arena = Arena.ofShared();
    MemorySegment pages = LinuxMemory.allocatePages(arena, 3L * LinuxMemory.pageBytes());
    assertEquals(0, pages.address() % LinuxMemory.pageBytes());
    assertTrue(Zeroes.isZero(pages));
    pages.fill((byte) 1);
    assertEquals(0, LinuxMemory.advise(pages, LinuxMemory.Advice.DONT_NEED));
    assertTrue(Zeroes.isZero(pages));
    arena.close();
    assertThrows(IllegalStateException.class, () -> pages.get(ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  void filesAreMapped() throws Exception {
    Path path = folder.resolve("mapped");
    Files.write(path, new byte[8192]);
    int fd = LinuxFiles.open(path.toString(), OpenFlags.READ_WRITE, 0);
    int protection = LinuxMemory.READ | LinuxMemory.WRITE;
    MemorySegment mapping = LinuxMemory.map(4096, protection, LinuxMemory.SHARED, fd, 4096);
    mapping.set(ValueLayout.JAVA_BYTE, 10, (byte) 42);
    assertEquals(0, LinuxMemory.unmap(mapping));
    LinuxFiles.close(fd);
    assertEquals(42, Files.readAllBytes(path)[4106]);
  }

  @Test
  void v8_aMappedFileThatIsCutShortSaysEio() throws Exception {
    Path path = folder.resolve("cut");
    Files.write(path, new byte[8192]);
    int fd = LinuxFiles.open(path.toString(), OpenFlags.READ_WRITE, 0);
    int protection = LinuxMemory.READ | LinuxMemory.WRITE;
    MemorySegment mapping = LinuxMemory.map(8192, protection, LinuxMemory.SHARED, fd, 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(8192);
      assertEquals(0, LinuxMemory.copy(mapping, buffer));
      for (int sizeBytes : new int[] {4096, 0, 8192, 4096}) {
        assertEquals(0, LinuxFiles.ftruncate(fd, sizeBytes));
        int expected = sizeBytes == 8192 ? 0 : -Errno.EIO.number();
        assertEquals(expected, LinuxMemory.copy(mapping, buffer));
        assertEquals(expected, LinuxMemory.copy(buffer, mapping));
        // What is left of the file is still there.
        assertEquals(
            0, LinuxMemory.copy(mapping.asSlice(0, sizeBytes), buffer.asSlice(0, sizeBytes)));
      }
    } finally {
      LinuxMemory.unmap(mapping);
      LinuxFiles.close(fd);
    }
  }

  @Test
  void refusalsKeepTheirKind() {
    ErrnoException thrown =
        assertThrows(
            ErrnoException.class,
            () -> LinuxMemory.map(4096, LinuxMemory.READ, LinuxMemory.SHARED, 1 << 20, 0));
    assertEquals(Errno.EBADF, thrown.errno());
  }
}

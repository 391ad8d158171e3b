package org.tinamou.tools.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.LockType;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.aio.poller.LinuxHostFiles;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.Permission;

class GlancedFileTest {
  private static final int UNSHARED = Permission.WRITE | Permission.RESIZE;

  @TempDir Path directory;

  private Path file(byte... content) throws Exception {
    return Files.write(directory.resolve("a.raw"), content);
  }

  @Test
  void theBeginningIsFilledUpWithZeroes() throws Exception {
    try (GlancedFile file = GlancedFile.open(file((byte) 1, (byte) 2), "a")) {
      assertEquals(2, file.sizeBytes());
      assertArrayEquals(new byte[] {1, 2, 0, 0}, file.start(4));
      assertArrayEquals(new byte[] {1}, file.start(1));
    }
  }

  @Test
  void whatIsNoFileIsRefusedWithoutWaitingForIt() {
    BlockException directories =
        assertThrows(BlockException.class, () -> GlancedFile.open(directory, "a").close());
    assertEquals("'file' driver requires 'a' to be a regular file", directories.getMessage());
    BlockException missing =
        assertThrows(
            BlockException.class, () -> GlancedFile.open(directory.resolve("b"), "b").close());
    assertEquals("Could not open 'b': No such file or directory", missing.getMessage());
    assertEquals(Errno.ENOENT, missing.errno());
  }

  @Test
  void theLauncherSaysWhatSpaceAFileTakes() throws Exception {
    Path path = file(new byte[8192]);
    String key =
        Files.getAttribute(path, "unix:dev") + ":" + Files.getAttribute(path, "unix:ino") + ":";
    assertEquals(24 * 512, allocatedBytes(path, "1:1:5\n" + key + "24\n1:2:7\n\n"));
    assertEquals(16 * 512, allocatedBytes(path, key + "16\n\n"));
    assertEquals(8192, allocatedBytes(path, "1" + key + "16\n\n"));
    // Notes that break off may break off inside a number.
    assertEquals(8192, allocatedBytes(path, key + "1"));
    assertEquals(8192, allocatedBytes(path, key + "1\n"));
    assertEquals(8192, allocatedBytes(path, "\n.\n"));
  }

  private static long allocatedBytes(Path path, String notes) throws Exception {
    try (GlancedFile file = GlancedFile.open(path, "a", LauncherNotes.of(notes))) {
      return file.allocatedBytes();
    }
  }

  @Test
  void theLauncherSaysWhatLocksThereAre() throws Exception {
    Path path = file(new byte[512]);
    long device = (Long) Files.getAttribute(path, "unix:dev");
    String lock =
        "1: OFDLCK ADVISORY  READ -1 %02x:%02x:%s 101 101\n"
            .formatted(device >>> 8 & 0xfff, device & 0xff, Files.getAttribute(path, "unix:ino"));
    assertRefusedBy(path, "\n" + lock + ".\n");
    assertRefusedBy(path, "1:2:7\n\n" + lock.replace("101", "201") + lock + ".\n");
    for (String free : List.of("\n.\n", "\n" + lock.replace("101", "201") + ".\n")) {
      try (GlancedFile file = GlancedFile.open(path, "a", LauncherNotes.of(free))) {
        assertDoesNotThrow(() -> file.refuseUseByOthers(UNSHARED));
      }
    }
  }

  private static void assertRefusedBy(Path path, String notes) throws Exception {
    try (GlancedFile file = GlancedFile.open(path, "a", LauncherNotes.of(notes))) {
      assertRefused(file, "write");
    }
  }

  @Test
  void locksThatWereNotAllNotedAreLookedUp() throws Exception {
    Path path = file(new byte[512]);
    HostFiles kernel = new LinuxHostFiles();
    int fd = kernel.open(path, 0, OpenFlag.READ_WRITE);
    try {
      kernel.tryLock(fd, LockType.SHARED, 101, 1);
      for (String notes :
          List.of("", "1:2:7\n", "\n", "\n1: OFDLCK ADVISORY  READ -1 1:2:7 0 EO")) {
        assertRefusedBy(path, notes);
      }
    } finally {
      kernel.close(fd);
    }
  }

  @Test
  void useByOthersIsSeenInTheTableOfLocks() throws Exception {
    Path path = file(new byte[512]);
    HostFiles kernel = new LinuxHostFiles();
    int fd = kernel.open(path, 0, OpenFlag.READ_WRITE);
    try (GlancedFile file = GlancedFile.open(path, "a")) {
      assertDoesNotThrow(() -> file.refuseUseByOthers(UNSHARED));
      kernel.tryLock(fd, LockType.SHARED, 100, 1);
      kernel.tryLock(fd, LockType.SHARED, 201, 1);
      assertDoesNotThrow(() -> file.refuseUseByOthers(UNSHARED));
      kernel.tryLock(fd, LockType.SHARED, 103, 1);
      assertRefused(file, "resize");
      kernel.tryLock(fd, LockType.SHARED, 101, 1);
      assertRefused(file, "write");
      kernel.tryLock(fd, LockType.UNLOCK, 100, 200);
      assertDoesNotThrow(() -> file.refuseUseByOthers(UNSHARED));
    } finally {
      kernel.close(fd);
    }
  }

  private static void assertRefused(GlancedFile file, String permission) {
    BlockException refusal =
        assertThrows(BlockException.class, () -> file.refuseUseByOthers(UNSHARED));
    assertEquals("Failed to get shared \"" + permission + "\" lock", refusal.getMessage());
    assertEquals("Is another process using the image [a]?", refusal.hint());
  }
}

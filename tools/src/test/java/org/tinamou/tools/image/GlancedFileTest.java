package org.tinamou.tools.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
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

  @AfterEach
  void forget() {
    System.clearProperty(GlancedFile.STAT);
  }

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
    System.setProperty(GlancedFile.STAT, "1:1:5\n" + key + "24\n1:2:7");
    try (GlancedFile file = GlancedFile.open(path, "a")) {
      assertEquals(24 * 512, file.allocatedBytes());
      System.setProperty(GlancedFile.STAT, key + "16");
      assertEquals(16 * 512, file.allocatedBytes());
      System.setProperty(GlancedFile.STAT, "1" + key + "16");
      assertEquals(8192, file.allocatedBytes());
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

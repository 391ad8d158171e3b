package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.Kind;
import org.tinamou.aio.HostFiles.LockType;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.host.LinuxFiles;

class LinuxHostFilesTest {
  @TempDir Path folder;
  private final HostFiles files = new LinuxHostFiles();

  @Test
  void openCreatesTruncatesAndKeepsTheKindOfErrors() throws Exception {
    Path path = folder.resolve("image");
    assertErrno(Errno.ENOENT, () -> files.open(path, 0));
    int fd = files.open(path, 0640, OpenFlag.READ_WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE);
    files.truncate(fd, 12345);
    files.close(fd);
    assertEquals(12345, Files.size(path));
    assertErrno(
        Errno.EEXIST,
        () -> files.open(path, 0, OpenFlag.READ_WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE));
    int readOnly = files.open(path, 0);
    assertErrno(Errno.EINVAL, () -> files.truncate(readOnly, 0));
    files.close(readOnly);
    files.close(files.open(path, 0, OpenFlag.READ_WRITE, OpenFlag.TRUNCATE, OpenFlag.DATA_SYNC));
    assertEquals(0, Files.size(path));
    assertErrno(Errno.EBADF, () -> files.close(readOnly));
    ErrnoException thrown =
        assertThrows(ErrnoException.class, () -> files.open(folder.resolve("none"), 0));
    assertEquals("open of " + folder.resolve("none"), thrown.context());
  }

  @Test
  void statusTellsWhatTheFileIs() throws Exception {
    int fd = files.open(folder.resolve("image"), 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    files.truncate(fd, 1 << 20);
    HostFiles.Status status = files.status(fd);
    files.close(fd);
    assertEquals(Kind.REGULAR, status.kind());
    assertEquals(1 << 20, status.sizeBytes());
    assertEquals(0, status.allocatedBytes());
    int directory = files.open(folder, 0);
    assertEquals(Kind.DIRECTORY, files.status(directory).kind());
    files.close(directory);
    int device = files.open(Path.of("/dev/zero"), 0);
    assertEquals(Kind.CHARACTER_DEVICE, files.status(device).kind());
    files.close(device);
  }

  @Test
  void dataAndHolesAreFound() throws Exception {
    int fd = files.open(folder.resolve("image"), 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    files.truncate(fd, 1 << 20);
    assertEquals(-1, files.nextData(fd, 0));
    assertEquals(0, files.nextHole(fd, 0));
    assertEquals(-1, files.nextHole(fd, 1 << 20));
    try (Arena arena = Arena.ofConfined()) {
      LinuxFiles.pwrite(fd, arena.allocate(65536).fill((byte) 1), 65536);
    }
    assertEquals(65536, files.nextData(fd, 0));
    assertEquals(131072, files.nextHole(fd, 65536));
    int copy = files.open(folder.resolve("copy"), 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    assertEquals(65536, files.copyRange(fd, 65536, copy, 0, 65536));
    assertEquals(0, files.copyRange(fd, 1 << 20, copy, 0, 1));
    files.close(copy);
    files.close(fd);
    assertErrno(Errno.EBADF, () -> files.nextData(fd, 0));
  }

  @Test
  void locksBelongToTheDescription() throws Exception {
    Path path = folder.resolve("image");
    int one = files.open(path, 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    int other = files.open(path, 0, OpenFlag.READ_WRITE);
    assertTrue(files.tryLock(one, LockType.EXCLUSIVE, 100, 1));
    assertFalse(files.tryLock(other, LockType.SHARED, 100, 1));
    assertTrue(files.isLockedByOther(other, LockType.SHARED, 100, 1));
    assertFalse(files.isLockedByOther(other, LockType.EXCLUSIVE, 101, 1));
    assertTrue(files.tryLock(one, LockType.UNLOCK, 100, 1));
    assertTrue(files.tryLock(other, LockType.SHARED, 100, 1));
    files.close(one);
    files.close(other);
    assertErrno(Errno.EBADF, () -> files.tryLock(one, LockType.SHARED, 0, 1));
    assertErrno(Errno.EBADF, () -> files.isLockedByOther(one, LockType.SHARED, 0, 1));
  }

  private interface Call {
    void run() throws Exception;
  }

  private static void assertErrno(Errno expected, Call call) {
    ErrnoException thrown = assertThrows(ErrnoException.class, call::run);
    assertEquals(expected, thrown.errno());
  }
}

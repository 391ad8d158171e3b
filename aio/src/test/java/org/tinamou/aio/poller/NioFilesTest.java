package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.HostFiles;
import org.tinamou.aio.HostFiles.Kind;
import org.tinamou.aio.HostFiles.LockType;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

class NioFilesTest {
  @TempDir Path folder;
  private final HostFiles files = new NioFiles();

  @Test
  void openCreatesTruncatesAndKeepsTheKindOfErrors() throws Exception {
    Path path = folder.resolve("image");
    assertErrno(Errno.ENOENT, () -> files.open(path, 0));
    int fd = files.open(path, 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE);
    assertEquals(PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(path));
    files.truncate(fd, 12345);
    assertEquals(12345, files.status(fd).sizeBytes());
    files.truncate(fd, 345);
    files.close(fd);
    assertEquals(345, Files.size(path));
    assertErrno(
        Errno.EEXIST,
        () -> files.open(path, 0, OpenFlag.READ_WRITE, OpenFlag.CREATE, OpenFlag.EXCLUSIVE));
    assertErrno(Errno.EISDIR, () -> files.open(folder, 0, OpenFlag.READ_WRITE));
    assertErrno(Errno.EINVAL, () -> files.open(path, 0, OpenFlag.DIRECT));
    int readOnly = files.open(path, 0);
    assertErrno(Errno.EINVAL, () -> files.truncate(readOnly, 0));
    files.close(readOnly);
    files.close(files.open(path, 0, OpenFlag.READ_WRITE, OpenFlag.TRUNCATE, OpenFlag.DATA_SYNC));
    assertEquals(0, Files.size(path));
    assertErrno(Errno.EBADF, () -> files.close(readOnly));
    assertErrno(Errno.EBADF, () -> files.status(readOnly));
  }

  @Test
  void statusTellsWhatTheFileIsEvenWithoutAName() throws Exception {
    Path path = folder.resolve("image");
    int fd = files.open(path, 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    Files.delete(path);
    files.truncate(fd, 1 << 20);
    HostFiles.Status status = files.status(fd);
    assertEquals(Kind.REGULAR, status.kind());
    assertEquals(1 << 20, status.sizeBytes());
    assertEquals(-1, status.allocatedBytes());
    assertNotEquals(0, status.inode());
    files.close(fd);
    assertEquals(Kind.DIRECTORY, files.kind(folder));
    assertEquals(Kind.CHARACTER_DEVICE, files.kind(Path.of("/dev/zero")));
    int device = files.open(Path.of("/dev/zero"), 0);
    assertEquals(Kind.CHARACTER_DEVICE, files.status(device).kind());
    files.close(device);
  }

  @Test
  void allInFrontOfTheEndIsData() throws Exception {
    int fd = files.open(folder.resolve("image"), 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    files.truncate(fd, 1 << 20);
    assertEquals(77, files.nextData(fd, 77));
    assertEquals(1 << 20, files.nextHole(fd, 77));
    assertEquals(-1, files.nextData(fd, 1 << 20));
    assertEquals(-1, files.nextHole(fd, 1 << 20));
    files.close(fd);
  }

  @Test
  void aDescriptorIsReplacedByAnother() throws Exception {
    int fd = files.open(folder.resolve("old"), 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    int other = files.open(folder.resolve("new"), 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    files.truncate(other, 4096);
    files.replace(fd, other);
    assertEquals(4096, files.status(fd).sizeBytes());
    assertErrno(Errno.EBADF, () -> files.status(other));
    assertErrno(Errno.EBADF, () -> files.replace(fd, other));
    files.close(fd);
  }

  @Test
  void whatChannelsCannotDoIsRefused() throws Exception {
    int fd = files.open(folder.resolve("image"), 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
    assertErrno(Errno.ENOSYS, () -> files.tryLock(fd, LockType.SHARED, 100, 1));
    assertErrno(Errno.ENOSYS, () -> files.isLockedByOther(fd, LockType.SHARED, 100, 1));
    assertErrno(Errno.EOPNOTSUPP, () -> files.copyRange(fd, 0, fd, 4096, 512));
    files.close(fd);
  }

  private interface Call {
    void run() throws Exception;
  }

  private static void assertErrno(Errno expected, Call call) {
    ErrnoException thrown = assertThrows(ErrnoException.class, call::run);
    assertEquals(expected, thrown.errno());
  }
}

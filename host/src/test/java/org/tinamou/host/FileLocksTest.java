package org.tinamou.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.Errno;
import org.tinamou.host.FileLocks.Type;

class FileLocksTest {
  private static final int CONFLICT = -Errno.EAGAIN.number();

  @TempDir Path folder;
  private int one;
  private int other;

  @BeforeEach
  void openTwice() {
    String name = folder.resolve("locked").toString();
    one = LinuxFiles.open(name, OpenFlags.READ_WRITE | OpenFlags.CREATE, 0644);
    other = LinuxFiles.open(name, OpenFlags.READ_WRITE, 0);
  }

  @AfterEach
  void close() {
    LinuxFiles.close(one);
    LinuxFiles.close(other);
  }

  @Test
  void twoDescriptionsOfOneProcessConflict() {
    assertEquals(0, FileLocks.set(one, Type.EXCLUSIVE, 100, 10));
    assertEquals(CONFLICT, FileLocks.set(other, Type.SHARED, 105, 1));
    assertEquals(1, FileLocks.test(other, Type.SHARED, 105, 1));
    assertEquals(0, FileLocks.test(one, Type.EXCLUSIVE, 105, 1));
    assertEquals(0, FileLocks.set(other, Type.EXCLUSIVE, 110, 1));
  }

  @Test
  void sharedLocksAreShared() {
    assertEquals(0, FileLocks.set(one, Type.SHARED, 0, 1));
    assertEquals(0, FileLocks.set(other, Type.SHARED, 0, 1));
    assertEquals(0, FileLocks.test(one, Type.SHARED, 0, 1));
    assertEquals(1, FileLocks.test(one, Type.EXCLUSIVE, 0, 1));
    assertEquals(CONFLICT, FileLocks.set(one, Type.EXCLUSIVE, 0, 1));
  }

  @Test
  void unlockingAndClosingDropLocks() {
    assertEquals(0, FileLocks.set(one, Type.EXCLUSIVE, 0, 0));
    assertEquals(CONFLICT, FileLocks.set(other, Type.SHARED, 1L << 40, 1));
    assertEquals(0, FileLocks.set(one, Type.UNLOCK, 0, 0));
    assertEquals(0, FileLocks.set(other, Type.EXCLUSIVE, 0, 0));
    LinuxFiles.close(other);
    assertEquals(0, FileLocks.set(one, Type.EXCLUSIVE, 0, 0));
  }

  @Test
  void anotherDescriptorOfTheFileDoesNotDropThemWhenClosed() {
    assertEquals(0, FileLocks.set(one, Type.EXCLUSIVE, 0, 1));
    int third = LinuxFiles.open(folder.resolve("locked").toString(), OpenFlags.READ_WRITE, 0);
    LinuxFiles.close(third);
    assertEquals(1, FileLocks.test(other, Type.SHARED, 0, 1));
  }

  @Test
  void anExclusiveLockNeedsAWritableDescriptor() {
    int readOnly = LinuxFiles.open(folder.resolve("locked").toString(), OpenFlags.READ_ONLY, 0);
    int result = FileLocks.set(readOnly, Type.EXCLUSIVE, 0, 1);
    LinuxFiles.close(readOnly);
    assertEquals(-Errno.EBADF.number(), result);
  }
}

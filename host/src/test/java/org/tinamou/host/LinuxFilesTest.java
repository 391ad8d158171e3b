package org.tinamou.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.IoVector;
import org.tinamou.base.Zeroes;

class LinuxFilesTest {
  private static final int MIB = 1 << 20;

  @TempDir Path folder;
  private final Arena arena = Arena.ofShared();
  private final List<Integer> fds = new ArrayList<>();

  @AfterEach
  void release() {
    fds.forEach(LinuxFiles::close);
    arena.close();
  }

  private int file(String name) {
    return opened(name, OpenFlags.READ_WRITE | OpenFlags.CREATE);
  }

  private int opened(String name, int flags) {
    int fd = LinuxFiles.open(folder.resolve(name).toString(), flags, 0644);
    assertTrue(fd >= 0, () -> Errno.ofResult(fd).message());
    fds.add(fd);
    return fd;
  }

  private MemorySegment filled(long size, int value) {
    return arena.allocate(size, 4096).fill((byte) value);
  }

  private static void assertErrno(Errno expected, long result) {
    assertEquals(expected, Errno.ofResult(result));
  }

  @Test
  void openKeepsTheKindOfItsErrors() {
    String missing = folder.resolve("missing").toString();
    assertErrno(Errno.ENOENT, LinuxFiles.open(missing, OpenFlags.READ_ONLY, 0));
    assertErrno(Errno.EISDIR, LinuxFiles.open(folder.toString(), OpenFlags.READ_WRITE, 0));
    file("there");
    int createNew = OpenFlags.READ_WRITE | OpenFlags.CREATE | OpenFlags.EXCLUSIVE;
    assertErrno(Errno.EEXIST, LinuxFiles.open(folder.resolve("there").toString(), createNew, 0644));
    String below = folder.resolve("there/below").toString();
    assertErrno(Errno.ENOTDIR, LinuxFiles.open(below, OpenFlags.READ_ONLY, 0));
    assertThrows(IllegalArgumentException.class, () -> LinuxFiles.open("a\0b", 0, 0));
  }

  @Test
  void namesAreUtf8() {
    file("größe-漢");
    assertTrue(Files.exists(folder.resolve("größe-漢")));
  }

  @Test
  void callsOnAClosedDescriptorSayEbadf() {
    int fd = LinuxFiles.open(folder.resolve("x").toString(), OpenFlags.CREATE, 0644);
    assertEquals(0, LinuxFiles.close(fd));
    MemorySegment buffer = filled(1, 0);
    assertErrno(Errno.EBADF, LinuxFiles.close(fd));
    assertErrno(Errno.EBADF, LinuxFiles.pread(fd, buffer, 0));
    assertErrno(Errno.EBADF, LinuxFiles.fsync(fd));
    assertErrno(Errno.EBADF, LinuxFiles.ftruncate(fd, 0));
    assertErrno(Errno.EBADF, LinuxFiles.fallocate(fd, 0, 0, 1));
    assertErrno(Errno.EBADF, LinuxFiles.seekData(fd, 0));
    assertErrno(Errno.EBADF, LinuxFiles.advise(fd, 0, 0, LinuxFiles.Advice.WILL_NEED));
    ErrnoException thrown = assertThrows(ErrnoException.class, () -> LinuxFiles.status(fd));
    assertEquals(Errno.EBADF, thrown.errno());
  }

  @Test
  void writesAreReadBackAndReadsEndAtTheEndOfTheFile() {
    int fd = file("data");
    assertEquals(100, LinuxFiles.pwrite(fd, filled(100, 7), 1000));
    MemorySegment back = filled(4096, 1);
    assertEquals(1100, LinuxFiles.pread(fd, back, 0));
    assertTrue(Zeroes.isZero(back.asSlice(0, 1000)));
    assertEquals(-1, back.asSlice(1000, 100).mismatch(filled(100, 7)));
    assertEquals(1, back.get(ValueLayout.JAVA_BYTE, 1100));
    assertEquals(0, LinuxFiles.pread(fd, back, 1100));
    assertEquals(0, LinuxFiles.fdatasync(fd));
    assertEquals(0, LinuxFiles.fsync(fd));
    assertEquals(0, LinuxFiles.startWriteback(fd, 0, 0));
    assertEquals(0, LinuxFiles.advise(fd, 0, 0, LinuxFiles.Advice.DONT_NEED));
  }

  @Test
  void vectorsTransferTheirSegmentsInOrder() {
    int fd = file("data");
    List<MemorySegment> parts = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      parts.add(filled(i + 1, i));
    }
    long size = 40 * 41 / 2;
    assertEquals(size, LinuxFiles.pwritev(fd, IoVector.of(parts), 5));
    MemorySegment first = filled(7, -1);
    MemorySegment second = filled(size - 7, -1);
    assertEquals(size, LinuxFiles.preadv(fd, IoVector.of(List.of(first, second)), 5));
    assertEquals(3, first.get(ValueLayout.JAVA_BYTE, 6));
    assertEquals(39, second.get(ValueLayout.JAVA_BYTE, size - 8));
  }

  @Test
  void aVectorBeyondTheLimitOfOneCallIsAShortTransfer() {
    int fd = file("data");
    MemorySegment part = filled(2, 9);
    List<MemorySegment> parts = new ArrayList<>();
    for (int i = 0; i < Iovecs.MAX_COUNT + 10; i++) {
      parts.add(part);
    }
    assertEquals(2 * Iovecs.MAX_COUNT, LinuxFiles.pwritev(fd, IoVector.of(parts), 0));
  }

  @Test
  void heapMemoryIsRefused() {
    int fd = file("data");
    MemorySegment heap = MemorySegment.ofArray(new byte[10]);
    assertThrows(IllegalArgumentException.class, () -> LinuxFiles.pwrite(fd, heap, 0));
  }

  @Test
  void aFullDeviceSaysEnospc() {
    int fd = LinuxFiles.open("/dev/full", OpenFlags.READ_WRITE, 0);
    fds.add(fd);
    assertErrno(Errno.ENOSPC, LinuxFiles.pwrite(fd, filled(10, 1), 0));
  }

  @Test
  void punchedHolesReadAsZeroesAndFreeTheirSpace() throws Exception {
    int fd = file("holes");
    assertEquals(3 * MIB, LinuxFiles.pwrite(fd, filled(3 * MIB, 1), 0));
    assertEquals(0, LinuxFiles.fsync(fd));
    final long before = LinuxFiles.status(fd).allocatedBytes();
    int punch = FallocateMode.PUNCH_HOLE | FallocateMode.KEEP_SIZE;
    assertEquals(0, LinuxFiles.fallocate(fd, punch, MIB, MIB));
    MemorySegment back = filled(3 * MIB, 2);
    assertEquals(3 * MIB, LinuxFiles.pread(fd, back, 0));
    assertTrue(Zeroes.isZero(back.asSlice(MIB, MIB)));
    assertEquals(1, back.get(ValueLayout.JAVA_BYTE, MIB - 1));
    assertEquals(1, back.get(ValueLayout.JAVA_BYTE, 2 * MIB));
    assertEquals(before - MIB, LinuxFiles.status(fd).allocatedBytes());
    assertEquals(0, LinuxFiles.seekData(fd, 0));
    assertEquals(MIB, LinuxFiles.seekHole(fd, 0));
    assertEquals(2 * MIB, LinuxFiles.seekData(fd, MIB));
    assertEquals(3 * MIB, LinuxFiles.seekHole(fd, 2 * MIB));
    assertErrno(Errno.ENXIO, LinuxFiles.seekData(fd, 3 * MIB));
    assertErrno(Errno.ENXIO, LinuxFiles.seekHole(fd, 3 * MIB));
  }

  @Test
  void zeroedRangesReadAsZeroesWhereTheFileSystemKnowsThem() throws Exception {
    int fd = file("zeroes");
    assertEquals(MIB, LinuxFiles.pwrite(fd, filled(MIB, 1), 0));
    int result = LinuxFiles.fallocate(fd, FallocateMode.ZERO_RANGE, 0, 4096);
    MemorySegment back = filled(4096, 2);
    assertEquals(4096, LinuxFiles.pread(fd, back, 0));
    if (result == 0) {
      assertTrue(Zeroes.isZero(back));
    } else {
      assertErrno(Errno.EOPNOTSUPP, result);
      assertEquals(1, back.get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @Test
  void allocationExtendsTheFileUnlessAskedNotTo() throws Exception {
    int fd = file("space");
    assertEquals(0, LinuxFiles.fallocate(fd, FallocateMode.KEEP_SIZE, 0, MIB));
    assertEquals(0, LinuxFiles.status(fd).sizeBytes());
    assertEquals(MIB, LinuxFiles.status(fd).allocatedBytes());
    assertEquals(0, LinuxFiles.fallocate(fd, 0, 0, MIB));
    assertEquals(MIB, LinuxFiles.status(fd).sizeBytes());
    assertEquals(0, LinuxFiles.ftruncate(fd, 10L * MIB));
    assertEquals(10L * MIB, LinuxFiles.status(fd).sizeBytes());
    assertEquals(10L * MIB, LinuxFiles.seekEnd(fd));
    assertEquals(5, LinuxFiles.seek(fd, 5));
    assertErrno(Errno.EINVAL, LinuxFiles.ftruncate(fd, -1));
  }

  @Test
  void statusTellsKindIdentityAndSize() throws Exception {
    int fd = file("data");
    LinuxFiles.pwrite(fd, filled(100, 1), 0);
    FileStatus status = LinuxFiles.status(fd);
    assertEquals(FileStatus.Kind.REGULAR, status.kind());
    assertEquals(100, status.sizeBytes());
    assertEquals(Files.getAttribute(folder.resolve("data"), "unix:ino"), status.inode());
    assertEquals(Files.getAttribute(folder.resolve("data"), "unix:dev"), status.device());
    assertTrue(status.preferredBlockBytes() >= 512);
    int directory = LinuxFiles.open(folder.toString(), OpenFlags.DIRECTORY, 0);
    fds.add(directory);
    assertEquals(FileStatus.Kind.DIRECTORY, LinuxFiles.status(directory).kind());
    int device = LinuxFiles.open("/dev/null", OpenFlags.READ_ONLY, 0);
    fds.add(device);
    assertEquals(FileStatus.Kind.CHARACTER_DEVICE, LinuxFiles.status(device).kind());
    Descriptors.Pair pipe = Descriptors.pipe(0);
    fds.addAll(List.of(pipe.first(), pipe.second()));
    assertEquals(FileStatus.Kind.FIFO, LinuxFiles.status(pipe.first()).kind());
  }

  @Test
  void aRegularFileIsNoBlockDevice() {
    int fd = file("data");
    ErrnoException thrown = assertThrows(ErrnoException.class, () -> BlockDevices.sizeBytes(fd));
    assertEquals(Errno.ENOTTY, thrown.errno());
    assertThrows(ErrnoException.class, () -> BlockDevices.logicalBlockBytes(fd));
    assertThrows(ErrnoException.class, () -> BlockDevices.physicalBlockBytes(fd));
  }

  @Test
  void rangesAreCopiedInsideTheKernel() {
    int from = file("from");
    int to = file("to");
    LinuxFiles.pwrite(from, filled(MIB, 3), 0);
    long copied = LinuxFiles.copyFileRange(from, 10, to, 1000, 5000);
    assertEquals(5000, copied);
    MemorySegment back = filled(6000, 0);
    assertEquals(6000, LinuxFiles.pread(to, back, 0));
    assertTrue(Zeroes.isZero(back.asSlice(0, 1000)));
    assertEquals(-1, back.asSlice(1000, 5000).mismatch(filled(5000, 3)));
    assertEquals(0, LinuxFiles.copyFileRange(from, MIB, to, 0, 100));
    assertErrno(Errno.EBADF, LinuxFiles.copyFileRange(from, 0, 1 << 20, 0, 100));
  }

  @Test
  void directTransfersWorkWithAlignedBuffers() throws Exception {
    String name = "direct";
    int fd = file(name);
    LinuxFiles.pwrite(fd, filled(8192, 5), 0);
    int path = LinuxFiles.open(folder.resolve(name).toString(), OpenFlags.READ_WRITE, 0);
    fds.add(path);
    int direct =
        LinuxFiles.open(
            folder.resolve(name).toString(), OpenFlags.READ_WRITE | OpenFlags.DIRECT, 0);
    if (direct == -Errno.EINVAL.number()) {
      return; // this file system has no O_DIRECT, and said so with the right kind
    }
    fds.add(direct);
    MemorySegment page = LinuxMemory.allocatePages(arena, 8192);
    assertEquals(0, page.address() % LinuxMemory.pageBytes());
    assertTrue(Zeroes.isZero(page));
    assertEquals(8192, LinuxFiles.pread(direct, page, 0));
    assertEquals(-1, page.mismatch(filled(8192, 5)));
    page.fill((byte) 6);
    assertEquals(4096, LinuxFiles.pwrite(direct, page.asSlice(0, 4096), 4096));
    assertEquals(8192, LinuxFiles.pread(fd, page, 0));
    assertEquals(-1, page.asSlice(4096).mismatch(filled(4096, 6)));
  }
}

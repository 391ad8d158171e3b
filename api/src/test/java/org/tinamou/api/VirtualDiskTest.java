package org.tinamou.api;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.Errno;

/** Disks as programs use them: from plain threads, on host files. */
class VirtualDiskTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;
  private Path image;

  @BeforeEach
  void makeImage() throws Exception {
    image = directory.resolve("disk.raw");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(8L * MIB);
    }
  }

  private static byte[] pattern(int length, int seed) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (i * 31 + seed);
    }
    return bytes;
  }

  private static byte[] read(VirtualDisk disk, long offset, int length) throws DiskException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    disk.read(offset, buffer);
    assertEquals(0, buffer.remaining());
    return buffer.array();
  }

  @Test
  void heapDirectAndForeignBuffersMeanTheSame() throws Exception {
    byte[] one = pattern(3 * MIB + 7, 1);
    byte[] two = pattern(5000, 2);
    byte[] three = pattern(600, 3);
    try (VirtualDisk disk = VirtualDisk.open(image);
        Arena arena = Arena.ofShared()) {
      disk.write(13, ByteBuffer.wrap(one));
      disk.write(5L * MIB + 1, ByteBuffer.allocateDirect(two.length).put(two).flip());
      MemorySegment segment = arena.allocate(three.length);
      segment.copyFrom(MemorySegment.ofArray(three));
      disk.write(6L * MIB, segment);
      disk.flush();

      assertArrayEquals(one, read(disk, 13, one.length));
      ByteBuffer direct = ByteBuffer.allocateDirect(two.length);
      disk.read(5L * MIB + 1, direct);
      byte[] got = new byte[two.length];
      direct.flip().get(got);
      assertArrayEquals(two, got);
      segment.fill((byte) 0);
      disk.read(6L * MIB, segment);
      assertArrayEquals(three, segment.toArray(ValueLayout.JAVA_BYTE));
    }
    byte[] content = Files.readAllBytes(image);
    assertEquals(one[0], content[13]);
    assertEquals(two[4999], content[5 * MIB + 5000]);
    assertEquals(8 * MIB, content.length);
  }

  @Test
  void aWindowOfABufferIsTransferred() throws Exception {
    byte[] bytes = pattern(100, 9);
    try (VirtualDisk disk = VirtualDisk.open(image)) {
      ByteBuffer source = ByteBuffer.wrap(bytes).position(10).limit(30);
      disk.write(0, source);
      assertEquals(30, source.position());
      byte[] got = read(disk, 0, 21);
      for (int i = 0; i < 20; i++) {
        assertEquals(bytes[10 + i], got[i]);
      }
      assertEquals(0, got[20]);
    }
  }

  @Test
  void extentsTellDataFromHoles() throws Exception {
    try (VirtualDisk disk = VirtualDisk.open(image)) {
      disk.write(2L * MIB, ByteBuffer.wrap(pattern(MIB, 1)));
      disk.flush();
      List<DiskExtent> extents = new ArrayList<>();
      disk.extents().forEach(extents::add);
      assertEquals(
          List.of(
              new DiskExtent(0, 2L * MIB, DiskExtent.Kind.HOLE),
              new DiskExtent(2L * MIB, MIB, DiskExtent.Kind.DATA),
              new DiskExtent(3L * MIB, 5L * MIB, DiskExtent.Kind.HOLE)),
          extents);
      disk.writeZeroes(2L * MIB, MIB, true);
      assertEquals(
          new DiskExtent(1000, 8L * MIB - 1000, DiskExtent.Kind.HOLE),
          disk.extents(1000, 8L * MIB - 1000).iterator().next());
    }
  }

  @Test
  void manyRequestsFromManyThreads() throws Exception {
    try (VirtualDisk disk = VirtualDisk.open(image)) {
      List<CompletableFuture<Void>> writes = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        writes.add(disk.writeAsync(i * 10_000L, ByteBuffer.wrap(pattern(10_000, i))));
      }
      CompletableFuture.allOf(writes.toArray(CompletableFuture[]::new)).get();
      List<CompletableFuture<Boolean>> checks = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        int first = thread;
        checks.add(
            CompletableFuture.supplyAsync(
                () -> {
                  for (int i = first; i < 200; i += 4) {
                    try {
                      assertArrayEquals(pattern(10_000, i), read(disk, i * 10_000L, 10_000));
                    } catch (DiskException e) {
                      throw new AssertionError(e);
                    }
                  }
                  return true;
                }));
      }
      for (CompletableFuture<Boolean> check : checks) {
        assertTrue(check.get());
      }
    }
  }

  @Test
  void aChannelReadsAndWritesInTurn() throws Exception {
    try (VirtualDisk disk = VirtualDisk.open(image)) {
      try (SeekableByteChannel channel = disk.channel()) {
        assertEquals(8L * MIB, channel.size());
        assertEquals(5, channel.write(ByteBuffer.wrap(pattern(5, 1))));
        channel.position(8L * MIB - 3);
        ByteBuffer buffer = ByteBuffer.allocate(10);
        assertEquals(3, channel.read(buffer));
        assertEquals(-1, channel.read(buffer));
        assertThrows(java.io.IOException.class, () -> channel.write(ByteBuffer.allocate(1)));
        channel.position(0);
        buffer.clear();
        assertEquals(10, channel.read(buffer));
        assertEquals(pattern(5, 1)[4], buffer.get(4));
        channel.truncate(4096);
        assertEquals(4096, disk.sizeBytes());
      }
      disk.resize(MIB);
      assertEquals(MIB, disk.sizeBytes());
      assertArrayEquals(new byte[100], read(disk, 5000, 100));
    }
    assertEquals(MIB, Files.size(image));
  }

  @Test
  void nothingRunsOnADrainedDisk() throws Exception {
    try (VirtualDisk disk = VirtualDisk.open(image)) {
      CompletableFuture<Void> write;
      try (VirtualDisk.DrainedDisk drained = disk.drain()) {
        write = disk.writeAsync(0, ByteBuffer.wrap(pattern(512, 1)));
        // The main loop has turned between the two calls, and the write with it.
        assertTrue(DiskRuntime.shared().dumpGraph().contains("quiesced"));
        assertFalse(write.isDone());
        assertEquals(0, Files.readAllBytes(image)[1]);
      }
      write.get();
      assertEquals(pattern(512, 1)[1], read(disk, 0, 512)[1]);
    }
  }

  @Test
  void movesBetweenLoopsUnderLoad() throws Exception {
    try (DiskRuntime runtime = DiskRuntime.start()) {
      List<DiskLoop> loops = List.of(runtime.startLoop("one"), runtime.startLoop("two"));
      VirtualDisk disk = runtime.open(DiskOptions.of(image));
      List<CompletableFuture<Void>> requests = new ArrayList<>();
      for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 16; i++) {
          long offset = (round * 16L + i) * 4096;
          requests.add(disk.writeAsync(offset, ByteBuffer.wrap(pattern(4096, round))));
        }
        disk.moveTo(loops.get(round % 2));
        assertTrue(runtime.dumpGraph().contains(loops.get(round % 2).name()));
      }
      CompletableFuture.allOf(requests.toArray(CompletableFuture[]::new)).get();
      for (int round = 0; round < 50; round++) {
        assertArrayEquals(pattern(4096, round), read(disk, round * 65536L, 4096));
      }
    }
    try (VirtualDisk again = VirtualDisk.open(image)) {
      assertArrayEquals(pattern(4096, 49), read(again, 49 * 65536L, 4096));
    }
  }

  @Test
  void optionsAndJsonNamesDescribeImages() throws Exception {
    Map<String, String> window =
        Map.of(
            "driver", "raw",
            "offset", "1M",
            "size", "64k",
            "file.driver", "file",
            "file.filename", image.toString());
    try (VirtualDisk disk = VirtualDisk.open(DiskOptions.of(window))) {
      assertEquals(65536, disk.sizeBytes());
      disk.write(0, ByteBuffer.wrap(new byte[] {42}));
      assertTrue(disk.name().startsWith("json:"), disk.name());
      String name = disk.name();
      disk.close();
      try (VirtualDisk again = VirtualDisk.open(DiskOptions.of(name).withReadOnly(true))) {
        assertEquals(42, read(again, 0, 1)[0]);
        assertTrue(again.isReadOnly());
      }
    }
    try (VirtualDisk disk = VirtualDisk.open(DiskOptions.of("null-co://").withFormat("raw"))) {
      assertEquals(1L << 30, disk.sizeBytes());
      assertEquals("raw", disk.format());
    }
  }

  @Test
  void errorsNameTheirCause() throws Exception {
    Path missing = directory.resolve("missing");
    DiskException noFile = assertThrows(DiskException.class, () -> VirtualDisk.open(missing));
    assertEquals(Errno.ENOENT, noFile.errno());
    assertEquals(
        "Could not open '" + missing + "': No such file or directory", noFile.getMessage());

    try (VirtualDisk disk = VirtualDisk.open(image)) {
      DiskException inUse = assertThrows(DiskException.class, () -> VirtualDisk.open(image));
      assertEquals(Errno.EAGAIN, inUse.errno());
      assertEquals("Is another process using the image [" + image + "]?", inUse.hint());
      DiskOptions shared = DiskOptions.of(image).withReadOnly(true).withForceShare(true);
      VirtualDisk.open(shared).close();

      DiskException beyond = assertThrows(DiskException.class, () -> read(disk, 8L * MIB - 1, 2));
      assertEquals(Errno.EIO, beyond.errno());
      CompletableFuture<Void> failing = disk.readAsync(-1, ByteBuffer.allocate(1));
      ExecutionException thrown = assertThrows(ExecutionException.class, failing::get);
      assertInstanceOf(DiskException.class, thrown.getCause());
    }
    VirtualDisk closed = VirtualDisk.open(image);
    closed.close();
    assertEquals(
        Errno.ENOMEDIUM, assertThrows(DiskException.class, () -> read(closed, 0, 1)).errno());
  }

  @Test
  void aGuessedRawDiskKeepsItsLooks() throws Exception {
    byte[] qcow2 = {'Q', 'F', 'I', (byte) 0xfb, 0, 0, 0, 3};
    try (VirtualDisk disk = VirtualDisk.open(image)) {
      DiskException refused =
          assertThrows(DiskException.class, () -> disk.write(0, ByteBuffer.wrap(qcow2)));
      assertEquals(Errno.EPERM, refused.errno());
      disk.write(512, ByteBuffer.wrap(qcow2));
    }
    try (VirtualDisk disk = VirtualDisk.open(DiskOptions.of(image).withFormat("raw"))) {
      disk.write(0, ByteBuffer.wrap(qcow2));
    }
  }

  @Test
  void memoryThatCannotBeSharedIsRefused() throws Exception {
    try (VirtualDisk disk = VirtualDisk.open(image);
        Arena arena = Arena.ofConfined()) {
      MemorySegment confined = arena.allocate(512);
      assertThrows(IllegalArgumentException.class, () -> disk.read(0, confined));
      MemorySegment heap = MemorySegment.ofArray(new byte[512]);
      assertThrows(IllegalArgumentException.class, () -> disk.read(0, heap));
    }
  }
}

package org.tinamou.drivers.filter.blkverify;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.open.FileNames;
import org.tinamou.drivers.TestDisk;
import org.tinamou.drivers.protocol.file.OnLoop;

class BlkverifyTest {
  private static final int SIZE = 256 << 10;

  @TempDir Path directory;
  private Path raw;
  private Path test;

  @BeforeEach
  void makeFiles() throws IOException {
    raw = Files.write(directory.resolve("raw"), new byte[SIZE]);
    test = Files.write(directory.resolve("test"), new byte[SIZE]);
  }

  private String options(String more) {
    return "driver=blkverify,raw.driver=blkdebug,raw.image.filename="
        + raw
        + ",test.driver=blkdebug,test.image.filename="
        + test
        + more;
  }

  private static void assertSays(String message, Executable request) {
    BlockException failure = assertThrows(BlockException.class, request);
    assertEquals(message, failure.getMessage());
    assertEquals(Errno.EIO, failure.errno());
  }

  @Test
  void bothSidesAreWrittenAndOneIsRead() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = TestDisk.openName(context, "blkverify:" + raw + ":" + test);
          assertEquals("blkverify:" + raw + ":" + test, FileNames.of(disk.node()));
          disk.fill(100, 5000, 7);
          disk.backend().writeZeroes(4096, 70_000, 0);
          disk.backend().flush();
          assertEquals(7, disk.read(100, 1)[0]);
          assertEquals(0, disk.read(4096, 1)[0]);
          disk.close();
        });
    assertArrayEquals(Files.readAllBytes(raw), Files.readAllBytes(test));
  }

  @Test
  void theFirstDifferenceIsFinal() throws Exception {
    byte[] other = new byte[SIZE];
    other[65_536] = 5;
    Files.write(raw, other);
    OnLoop.run(
        context -> {
          TestDisk disk = TestDisk.open(context, options(""));
          disk.read(0, 65_536);
          String message =
              "blkverify: read offset=64512 bytes=2560 contents mismatch at offset 65536";
          assertSays(message, () -> disk.read(65_000, 2000));
          assertSays(message, () -> disk.read(0, 512));
          assertSays(message, () -> disk.fill(0, 512, 1));
          assertSays(message, () -> disk.backend().flush());
          disk.close();
        });
  }

  @Test
  void anErrorOfOneSideOnlyIsADifference() throws Exception {
    OnLoop.run(
        context -> {
          makeFiles();
          TestDisk disk =
              TestDisk.open(
                  context,
                  options(
                      ",raw.inject-error.0.event=none,raw.inject-error.0.iotype=write"
                          + ",raw.inject-error.0.errno=28"));
          disk.read(0, 512);
          assertSays(
              "blkverify: write offset=0 bytes=512 return value mismatch 0 != -28",
              () -> disk.fill(0, 512, 1));
          disk.close();
        });
  }

  @Test
  void anErrorOfBothSidesIsAnError() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk =
              TestDisk.open(
                  context,
                  options(
                      ",raw.inject-error.0.event=none,raw.inject-error.0.errno=28"
                          + ",raw.inject-error.0.once=on"
                          + ",test.inject-error.0.event=none,test.inject-error.0.errno=28"
                          + ",test.inject-error.0.once=on"));
          assertEquals(
              Errno.ENOSPC, assertThrows(BlockException.class, () -> disk.read(0, 512)).errno());
          disk.read(0, 512);
          disk.close();
        });
  }

  @Test
  void whatIsMissingIsNamed() throws Exception {
    OnLoop.run(
        context -> {
          assertEquals(
              "blkverify requires raw copy and original image path",
              assertThrows(
                      BlockException.class,
                      () -> TestDisk.openName(context, "blkverify:" + raw).close())
                  .getMessage());
          assertEquals(
              "A block device must be specified for \"test\"",
              assertThrows(
                      BlockException.class,
                      () -> TestDisk.open(context, "driver=blkverify,raw.filename=" + raw).close())
                  .getMessage());
          assertEquals(
              "A block device must be specified for \"raw\"",
              assertThrows(
                      BlockException.class,
                      () ->
                          TestDisk.open(
                                  context,
                                  "driver=blkverify,test.driver=file,test.filename=" + test)
                              .close())
                  .getMessage());
        });
  }
}

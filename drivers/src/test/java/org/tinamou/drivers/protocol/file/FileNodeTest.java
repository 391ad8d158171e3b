package org.tinamou.drivers.protocol.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.IoOp;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.ReopenChange;
import org.tinamou.drivers.TestDisk;

/** Files as nodes, opened by their options. */
class FileNodeTest {
  private static final int SIZE = 256 << 10;

  @TempDir Path directory;
  private Path file;
  private byte[] content;

  @BeforeEach
  void makeFile() throws IOException {
    file = directory.resolve("image");
    content = new byte[SIZE];
    new Random(7).nextBytes(content);
    Files.write(file, content);
  }

  private TestDisk open(AioContext context, String more) throws BlockException {
    return TestDisk.open(context, "driver=file,filename=" + file + more);
  }

  private static FileNode fileOf(TestDisk disk) throws BlockException {
    return (FileNode) disk.node().driver();
  }

  @Test
  void bytesOfAnyOffsetAndLengthGoPastTheCache() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, ",cache.direct=on,aio=native");
          assertTrue(disk.node().limits().requestAlignmentBytes() >= 512);
          assertTrue(disk.node().limits().memoryAlignmentBytes() >= 512);
          Random random = new Random(5);
          for (int round = 0; round < 60; round++) {
            byte[] bytes = new byte[1 + random.nextInt(9000)];
            random.nextBytes(bytes);
            int offset = random.nextInt(SIZE - bytes.length);
            disk.write(offset, bytes);
            System.arraycopy(bytes, 0, content, offset, bytes.length);
            int start = random.nextInt(SIZE - 10_000);
            assertArrayEquals(
                java.util.Arrays.copyOfRange(content, start, start + 10_000),
                disk.read(start, 10_000));
          }
          disk.close();
        });
    assertArrayEquals(content, Files.readAllBytes(file));
  }

  @Test
  void theEndInsideOfAUnitReadsAsZeroesPastTheCache() throws Exception {
    Files.write(file, new byte[] {1, 2, 3});
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, ",cache.direct=on");
          assertEquals(512, disk.backend().lengthBytes());
          byte[] seen = disk.read(0, 512);
          assertArrayEquals(new byte[] {1, 2, 3, 0}, java.util.Arrays.copyOf(seen, 4));
          disk.close();
        });
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "driver=file|The 'file' block driver requires a file name",
        "driver=file,filename=|The 'file' block driver requires a file name",
        "driver=file,filename=NO|Could not open 'NO': No such file or directory",
        "driver=file,filename=/dev/null|'file' driver requires '/dev/null' to be a regular file",
        "driver=host_device,filename=F|'host_device' driver requires 'F' to be either a character"
            + " or block device",
        "driver=file,filename=F,aio=x|invalid parameter value: x",
        "driver=file,filename=F,aio=native|aio=native was specified, but it requires"
            + " cache.direct=on, which was not specified.",
        "driver=file,filename=F,locking=maybe|invalid parameter value: maybe",
        "driver=file,filename=F,pr-manager=p|No persistent reservation manager with id 'p'",
        "driver=file,filename=F,drop-cache=x|Parameter 'drop-cache' expects 'on' or 'off'",
        "driver=file,filename=F,aio-max-batch=x|Parameter 'aio-max-batch' expects a number",
        "driver=file,filename=F,nonsense=1|Block protocol 'file' doesn't support the option"
            + " 'nonsense'"
      })
  void whatCannotBeOpenedSaysWhy(String options, String message) throws Exception {
    OnLoop.run(
        context ->
            assertEquals(
                message.replace("'F'", "'" + file + "'"),
                assertThrows(
                        BlockException.class,
                        () -> TestDisk.open(context, options.replace("=F", "=" + file)).close())
                    .getMessage()));
  }

  @Test
  void underAutoReadOnlyAFileIsOpenedForWritingWhenSomebodyWrites() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk =
              TestDisk.open(
                  context,
                  "driver=file,auto-read-only=on,filename=" + file,
                  NodeOptions.READ_WRITE,
                  Permission.CONSISTENT_READ,
                  Permission.ALL & ~Permission.RESIZE);
          assertFalse(fileOf(disk).file().isWritable());
          disk.backend()
              .setPermissions(
                  Permission.CONSISTENT_READ | Permission.WRITE,
                  Permission.ALL & ~Permission.RESIZE);
          assertTrue(fileOf(disk).file().isWritable());
          disk.fill(0, 512, 7);
          // The new descriptor holds the locks of the old one.
          BlockException refused =
              assertThrows(BlockException.class, () -> open(context, "").close());
          assertEquals("Failed to get \"resize\" lock", refused.getMessage());
          assertEquals("Is another process using the image [" + file + "]?", refused.hint());
          TestDisk.open(context, "driver=file,locking=off,filename=" + file).close();
          disk.close();
          open(context, "").close();
        });
  }

  @Test
  void aDescriptorIsReplacedUnderItsRequestsAndLocks() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver driver =
              FileDriver.open(
                  context,
                  file,
                  "image",
                  FileOptions.reading(CacheMode.WRITEBACK).unsharing(Permission.WRITE));
          FileDriver.Reopening forgotten = driver.prepareReopen("image", true, false);
          forgotten.abort();
          assertFalse(driver.isWritable());
          driver.prepareReopen("image", true, true).commit();
          assertTrue(driver.isWritable() && driver.isDirect());
          FileOptions writing = FileOptions.writing(CacheMode.WRITEBACK);
          assertEquals(
              "Failed to get \"write\" lock",
              assertThrows(
                      BlockException.class, () -> FileDriver.open(context, file, "image", writing))
                  .getMessage());
          driver.prepareReopen("image", false, false).commit();
          assertFalse(driver.isWritable() || driver.isDirect());
          assertThrows(
              BlockException.class, () -> FileDriver.open(context, file, "image", writing));
          driver.close();
          FileDriver.open(context, file, "image", writing).close();
        });
  }

  @Test
  void aNodeIsReopenedToReadAndToWriteAndPastTheCache() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk =
              TestDisk.open(
                  context,
                  "driver=raw,file.driver=file,file.filename=" + file,
                  NodeOptions.READ_ONLY,
                  Permission.CONSISTENT_READ,
                  Permission.ALL & ~Permission.RESIZE);
          BlockNode node = disk.node().child("file").child();
          NodeOptions direct = NodeOptions.READ_WRITE.withCacheDirect(true);
          disk.graph()
              .reopen(
                  List.of(
                      ReopenChange.of(disk.node(), NodeOptions.READ_WRITE),
                      ReopenChange.of(node, direct)));
          FileDriver opened = ((FileNode) node.driver()).file();
          assertTrue(opened.isWritable() && opened.isDirect());
          assertTrue(node.limits().requestAlignmentBytes() >= 512);
          disk.backend()
              .setPermissions(
                  Permission.CONSISTENT_READ | Permission.WRITE,
                  Permission.ALL & ~Permission.RESIZE);
          disk.fill(10, 100, 3);
          assertEquals(3, disk.read(10, 1)[0]);
          assertThrows(BlockException.class, () -> open(context, "").close());
          disk.close();
          open(context, "").close();
        });
  }

  @Test
  void rangesAreCopiedByTheHost() throws Exception {
    Path other = Files.write(directory.resolve("other"), new byte[SIZE]);
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, "");
          FileNode source = fileOf(disk);
          FileDriver target =
              FileDriver.open(context, other, "other", FileOptions.writing(CacheMode.WRITEBACK));
          assertTrue(FileNode.copyAll(target, source.file(), 1000, 5, 100_000));
          assertFalse(FileNode.copyAll(target, source.file(), SIZE - 10, 200_000, 20));
          target.close();
          disk.close();
        });
    assertArrayEquals(
        java.util.Arrays.copyOfRange(content, 1000, 101_000),
        java.util.Arrays.copyOfRange(Files.readAllBytes(other), 5, 100_005));
  }

  @Test
  void anotherFileOfTheSameNameIsNotTakenForTheImage() throws Exception {
    OnLoop.run(
        context -> {
          FileDriver driver =
              FileDriver.open(context, file, "image", FileOptions.reading(CacheMode.WRITEBACK));
          Path moved = directory.resolve("moved");
          Files.move(file, moved);
          Files.write(file, new byte[SIZE]);
          assertEquals(
              Errno.ESTALE,
              assertThrows(BlockException.class, () -> driver.prepareReopen("image", true, false))
                  .errno());
          driver.close();
          Files.move(moved, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        });
  }

  @Test
  void aFailedFlushFailsUntilTheFileIsReopened() throws Exception {
    AtomicBoolean fail = new AtomicBoolean(true);
    FaultyPoller poller =
        new FaultyPoller(
            (op, offset, length) ->
                op == IoOp.FDATASYNC && fail.get() ? -Errno.EIO.number() : Long.MAX_VALUE);
    OnLoop.run(
        poller,
        context -> {
          TestDisk disk = open(context, "");
          disk.fill(0, 512, 1);
          assertThrows(BlockException.class, () -> disk.backend().flush());
          fail.set(false);
          disk.fill(0, 512, 2);
          assertEquals(
              Errno.EIO, assertThrows(BlockException.class, () -> disk.backend().flush()).errno());
          disk.graph().reopen(List.of(ReopenChange.of(disk.node(), NodeOptions.READ_WRITE)));
          disk.backend().flush();
          disk.close();
        });
  }
}

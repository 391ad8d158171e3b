package org.tinamou.drivers.filter.blklogwrites;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.RequestFlags;
import org.tinamou.drivers.TestDisk;
import org.tinamou.drivers.protocol.file.OnLoop;

/** What is in the log otherwise is compared with the reference's by the tools' tests. */
class BlklogwritesTest {
  private static final int SECTOR = 512;
  private static final long MAGIC = 0x6a736677736872L;

  @TempDir Path directory;
  private Path image;
  private Path log;

  @BeforeEach
  void makeFiles() throws IOException {
    image = Files.write(directory.resolve("image"), new byte[1 << 20]);
    log = Files.write(directory.resolve("log"), new byte[0]);
  }

  private TestDisk open(AioContext context, String more) throws BlockException {
    return TestDisk.open(
        context, "driver=blklogwrites,file.driver=file,file.filename=" + image + more);
  }

  private String plainLog() {
    return ",log.driver=file,log.filename=" + log;
  }

  private static ByteBuffer superOf(long entries) {
    return ByteBuffer.allocate(SECTOR)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(0, MAGIC)
        .putLong(8, 1)
        .putLong(16, entries)
        .putInt(24, SECTOR);
  }

  /** The entries as the super sector counts them: where, how many sectors, which flags. */
  private List<List<Long>> entries() throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(log)).order(ByteOrder.LITTLE_ENDIAN);
    List<List<Long>> found = new ArrayList<>();
    int at = SECTOR;
    for (long left = bytes.getLong(16); left > 0; left--) {
      long count = bytes.getLong(at + 8);
      long flags = bytes.getLong(at + 16);
      found.add(List.of(bytes.getLong(at), count, flags));
      at += SECTOR + (flags == WriteLog.DISCARD ? 0 : (int) count * SECTOR);
    }
    assertEquals(bytes.capacity(), at, "entries and data fill the log");
    return found;
  }

  @Test
  void aWriteThatHasToBeStableIsFollowedByItsFlush() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, plainLog());
          disk.backend().writeZeroes(1024, 1024, RequestFlags.FORCE_UNIT_ACCESS);
          disk.fill(4096, 512, 1);
          disk.backend().discard(8192, 1024);
          disk.backend().flush();
          disk.close();
        });
    assertEquals(
        List.of(
            List.of(2L, 2L, 0L),
            List.of(0L, 0L, WriteLog.FLUSH),
            List.of(8L, 1L, 0L),
            List.of(16L, 2L, WriteLog.DISCARD),
            List.of(0L, 0L, WriteLog.FLUSH)),
        entries());
  }

  @Test
  void aLogThatCannotBeWrittenFailsTheWrite() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk =
              open(
                  context,
                  ",log.driver=blkdebug,log.image.driver=file,log.image.filename="
                      + log
                      + ",log.inject-error.0.event=pwritev,log.inject-error.0.errno=28"
                      + ",log.inject-error.0.once=on");
          BlockException failure =
              assertThrows(BlockException.class, () -> disk.fill(0, SECTOR, 1));
          assertEquals(Errno.ENOSPC, failure.errno());
          disk.fill(SECTOR, SECTOR, 2);
          disk.backend().flush();
          disk.close();
        });
    assertEquals(List.of(List.of(1L, 1L, 0L), List.of(0L, 0L, WriteLog.FLUSH)), entries());
  }

  @Test
  void aCountOfEntriesThatNoFileCanHoldIsRefusedAtOnce() throws Exception {
    Files.write(log, superOf(-2).array());
    assertRefused("Invalid number of log entries");
  }

  @Test
  void anEntryThatNoFileCanHoldIsRefused() throws Exception {
    byte[] entry =
        ByteBuffer.allocate(SECTOR)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(8, Long.MAX_VALUE)
            .array();
    ByteBuffer whole = ByteBuffer.allocate(2 * SECTOR).put(superOf(1).array()).put(entry);
    Files.write(log, whole.array());
    assertRefused("Invalid size of log entry at sector 1");
  }

  private void assertRefused(String message) throws Exception {
    OnLoop.run(
        context -> {
          BlockException failure =
              assertThrows(
                  BlockException.class, () -> open(context, plainLog() + ",log-append=on"));
          assertEquals(message, failure.getMessage());
        });
  }
}

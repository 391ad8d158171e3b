package org.tinamou.drivers.filter.quorum;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.NodeEvent;
import org.tinamou.drivers.TestDisk;
import org.tinamou.drivers.protocol.file.OnLoop;

class QuorumTest {
  private static final int SIZE = 1 << 20;

  @TempDir Path directory;
  private final List<String> told = new ArrayList<>();

  private Path file(String name, int content) throws IOException {
    byte[] bytes = new byte[SIZE];
    Arrays.fill(bytes, (byte) content);
    return Files.write(directory.resolve(name), bytes);
  }

  /** Options of a quorum over files {@code a}, {@code b}... of those contents. */
  private String options(int threshold, String more, int... contents) throws IOException {
    StringBuilder text = new StringBuilder("driver=quorum,vote-threshold=" + threshold + more);
    for (int i = 0; i < contents.length; i++) {
      String name = String.valueOf((char) ('a' + i));
      text.append(",children.%d.driver=file,children.%d.node-name=%s".formatted(i, i, name));
      text.append(",children.%d.filename=%s".formatted(i, file(name, contents[i])));
    }
    return text.toString();
  }

  private TestDisk open(org.tinamou.aio.AioContext context, String options) throws Exception {
    TestDisk disk = TestDisk.open(context, options);
    disk.node().graph().events().tellTo(event -> told.add(text(event)));
    return disk;
  }

  private static String text(NodeEvent event) {
    return switch (event) {
      case NodeEvent.QuorumBad bad ->
          bad.operation()
              + " of "
              + bad.child().name()
              + " at "
              + bad.sector()
              + "+"
              + bad.sectorCount()
              + (bad.error() == null ? "" : ": " + bad.error());
      case NodeEvent.QuorumFailure failure ->
          "failure at " + failure.sector() + "+" + failure.sectorCount();
      case NodeEvent.ImageCorrupted corrupted -> corrupted.message();
    };
  }

  /** What has been told, once the loop has gone round. */
  private List<String> told() {
    Coroutine.yieldNow();
    List<String> all = List.copyOf(told);
    told.clear();
    return all;
  }

  @Test
  void theMajorityIsReadAndTheOthersAreToldOf() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, options(2, "", 7, 8, 8));
          assertEquals(8, disk.read(4096, 1024)[1023]);
          assertEquals(List.of("read of a at 8+2"), told());
          disk.fill(4096, 1024, 9);
          disk.backend().flush();
          assertEquals(9, disk.read(4096, 1024)[0]);
          assertEquals(List.of(), told());
          disk.close();
        });
    byte[] bytes = Files.readAllBytes(directory.resolve("a"));
    assertEquals(9, bytes[4096]);
    assertEquals(7, bytes[0]);
  }

  @Test
  void noMajorityIsAnError() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, options(2, "", 1, 2, 3));
          BlockException refused = assertThrows(BlockException.class, () -> disk.read(0, 512));
          assertEquals(Errno.EIO, refused.errno());
          assertEquals(List.of("failure at 0+1"), told());
          disk.close();
        });
  }

  @Test
  void aChildInTheMinorityIsMended() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, options(2, ",rewrite-corrupted=on", 5, 5, 6));
          disk.read(0, SIZE);
          assertEquals(List.of("read of c at 0+2048"), told());
          disk.read(0, SIZE);
          assertEquals(List.of(), told());
          disk.close();
        });
    assertArrayEquals(
        Files.readAllBytes(directory.resolve("a")), Files.readAllBytes(directory.resolve("c")));
  }

  @Test
  void failuresAreOutvotedOrTheErrorOfMost() throws Exception {
    String failing =
        "driver=quorum,vote-threshold=%d,children.0.driver=blkdebug,children.0.node-name=a,"
            + "children.0.image.filename=%s,children.0.inject-error.0.event=none,"
            + "children.0.inject-error.0.iotype=%s,children.0.inject-error.0.errno=28,"
            + "children.1.driver=file,children.1.filename=%s,children.1.node-name=b";
    Path first = file("a", 1);
    Path second = file("b", 1);
    OnLoop.run(
        context -> {
          TestDisk one = open(context, failing.formatted(1, first, "write", second));
          one.fill(0, 512, 3);
          assertEquals(List.of("write of a at 0+1: No space left on device"), told());
          one.close();
          TestDisk two = open(context, failing.formatted(2, first, "flush", second));
          two.fill(0, 512, 4);
          BlockException refused = assertThrows(BlockException.class, () -> two.backend().flush());
          assertEquals(Errno.ENOSPC, refused.errno());
          assertEquals(List.of("flush of a at 0+0: No space left on device"), told());
          two.close();
        });
  }

  @Test
  void aDifferenceIsAnErrorWhereEveryOneIs() throws Exception {
    OnLoop.run(
        context -> {
          List<String> lines = new ArrayList<>();
          TestDisk disk = open(context, options(2, ",blkverify=on", 1, 2));
          disk.node().graph().tellDamageTo(lines::add);
          assertThrows(BlockException.class, () -> disk.read(512, 512));
          assertEquals(
              List.of("quorum: offset=512 bytes=512 contents mismatch at offset 512"), lines);
          disk.close();
        });
  }

  @Test
  void zeroesAreThoseOfAllChildren() throws Exception {
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, options(1, "", 1, 1));
          disk.backend().writeZeroes(0, 65_536, 0);
          BlockNode node = disk.node();
          BlockStatus zeroes = ((QuorumDriver) node.driver()).blockStatus(0, SIZE, true);
          assertEquals(true, zeroes.has(BlockStatus.ZERO));
          assertEquals(65_536, zeroes.lengthBytes());
          disk.close();
        });
  }

  /** Whoever copies reads in one piece what one child has in one piece. */
  @Test
  void dataReachesAsFarAsOneChildHasSome() throws Exception {
    String options = options(2, "", 1, 1);
    sparse("a", 65_536);
    sparse("b", 131_072);
    OnLoop.run(
        context -> {
          TestDisk disk = open(context, options);
          QuorumDriver quorum = (QuorumDriver) disk.node().driver();
          BlockStatus data = quorum.blockStatus(0, SIZE, true);
          assertEquals(false, data.has(BlockStatus.ZERO));
          assertEquals(131_072, data.lengthBytes());
          assertEquals(
              true, quorum.blockStatus(131_072, SIZE - 131_072, true).has(BlockStatus.ZERO));
          disk.close();
        });
  }

  private void sparse(String name, int dataBytes) throws IOException {
    Path path = directory.resolve(name);
    byte[] data = Arrays.copyOf(Files.readAllBytes(path), dataBytes);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(0);
      file.write(data);
      file.setLength(SIZE);
    }
  }
}

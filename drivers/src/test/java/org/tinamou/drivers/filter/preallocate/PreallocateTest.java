package org.tinamou.drivers.filter.preallocate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.TestDisk;
import org.tinamou.drivers.protocol.file.OnLoop;
import org.tinamou.qapi.Json;

class PreallocateTest {
  private static final int MEBIBYTE = 1 << 20;

  @TempDir Path directory;

  /** A format whose file grows as it is written to. */
  private record GrowingFormat(Edge file) implements BlockDriver.Writable {
    @Override
    public String formatName() {
      return "growing";
    }

    @Override
    public long lengthBytes() {
      return 1L << 30;
    }

    @Override
    public BlockLimits limits() {
      return BlockLimits.NONE;
    }

    @Override
    public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
      file.read(offsetBytes, buffer, flags);
    }

    @Override
    public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
      file.write(offsetBytes, buffer, flags);
    }

    @Override
    public int writeFlags() {
      return 0;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @Test
  void aFileGrowsByMuchAndShrinksToItsDataInTheEnd() throws Exception {
    Path path = directory.resolve("file");
    OnLoop.run(
        context -> {
          Files.write(path, new byte[1024]);
          BlockGraph graph = new BlockGraph(context);
          Json.Members options =
              new Json.Members()
                  .put("driver", "preallocate")
                  .put("prealloc-size", "4M")
                  .put("file.driver", "file")
                  .put("file.filename", path.toString());
          BlockNode filter =
              new NodeOpener(graph, Drivers.list())
                  .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, context);
          BlockNode format =
              graph.open(
                  "format",
                  false,
                  context,
                  node ->
                      new GrowingFormat(
                          node.attachChild(
                              "file",
                              EnumSet.of(EdgeRole.DATA, EdgeRole.METADATA, EdgeRole.PRIMARY),
                              filter,
                              Permission.CONSISTENT_READ,
                              Permission.ALL)));
          graph.release(filter);
          BlockBackend backend =
              new BlockBackend(graph, "", context, Permission.ALL, Permission.ALL);
          backend.insert(format);
          graph.release(format);
          try (Arena arena = Arena.ofShared()) {
            IoVector bytes = IoVector.of(arena.allocate(1000).fill((byte) 3));
            backend.write(0, bytes, 0);
            assertEquals(1024, Files.size(path));
            backend.write(MEBIBYTE, bytes, 0);
            assertEquals(6L * MEBIBYTE, Files.size(path));
            assertEquals(MEBIBYTE + 1024, filter.lengthBytes());
            backend.write(3L * MEBIBYTE, bytes, 0);
            assertEquals(6L * MEBIBYTE, Files.size(path));
            MemorySegment behind = arena.allocate(10).fill((byte) 9);
            backend.read(5L * MEBIBYTE, IoVector.of(behind), 0);
            assertEquals(0, behind.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 9));
          }
          backend.close();
          assertEquals(3L * MEBIBYTE + 1000, Files.size(path));
        });
  }

  @Test
  void optionsThatAreWrongSayWhy() throws Exception {
    OnLoop.run(
        context -> {
          assertEquals(
              "prealloc-align parameter of preallocate filter is not aligned to 512",
              assertThrows(
                      BlockException.class,
                      () ->
                          TestDisk.open(
                                  context,
                                  "driver=preallocate,prealloc-align=3,file.driver=null-co")
                              .close())
                  .getMessage());
          assertEquals(
              "A block device must be specified for \"file\"",
              assertThrows(
                      BlockException.class,
                      () -> TestDisk.open(context, "driver=preallocate").close())
                  .getMessage());
        });
  }
}

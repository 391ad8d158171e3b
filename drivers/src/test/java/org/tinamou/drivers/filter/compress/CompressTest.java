package org.tinamou.drivers.filter.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockLimits;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.TestDisk;
import org.tinamou.drivers.protocol.file.OnLoop;
import org.tinamou.qapi.Json;

class CompressTest {
  @Test
  void whatCannotCompressIsRefused() throws Exception {
    OnLoop.run(
        context -> {
          assertEquals(
              "Compression is not supported for underlying format: raw",
              assertThrows(
                      BlockException.class,
                      () ->
                          TestDisk.open(
                                  context,
                                  "driver=compress,file.driver=raw,file.file.filename=/dev/null,"
                                      + "file.file.driver=host_device")
                              .close())
                  .getMessage());
        });
  }

  /** Writes down the flags of what is written to it. */
  private static final class Recorder implements BlockDriver.Writable {
    final List<Integer> flags = new ArrayList<>();

    @Override
    public String formatName() {
      return "recorder";
    }

    @Override
    public long lengthBytes() {
      return 1 << 20;
    }

    @Override
    public BlockLimits limits() {
      return BlockLimits.NONE;
    }

    @Override
    public void read(long offsetBytes, IoVector buffer, int flags) {
      buffer.fill((byte) 0);
    }

    @Override
    public void write(long offsetBytes, IoVector buffer, int writeFlags) {
      flags.add(writeFlags);
    }

    @Override
    public int writeFlags() {
      return RequestFlags.COMPRESSED;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @Test
  void everyWriteIsToBeCompressed() throws Exception {
    OnLoop.run(
        context -> {
          BlockGraph graph = new BlockGraph(context);
          Recorder recorder = new Recorder();
          BlockNode below = graph.open("below", false, context, node -> recorder);
          Json.Members options = new Json.Members().put("driver", "compress").put("file", "below");
          BlockNode filter =
              new NodeOpener(graph, Drivers.list())
                  .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, context);
          BlockBackend backend =
              new BlockBackend(graph, "", context, Permission.ALL, Permission.ALL);
          backend.insert(filter);
          try (Arena arena = Arena.ofShared()) {
            backend.write(0, IoVector.of(arena.allocate(65_536)), 0);
          }
          assertEquals(List.of(RequestFlags.COMPRESSED), recorder.flags);
          backend.close();
          graph.release(filter);
          graph.release(below);
        });
  }
}

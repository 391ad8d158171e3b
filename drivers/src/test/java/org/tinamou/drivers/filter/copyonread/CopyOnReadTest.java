package org.tinamou.drivers.filter.copyonread;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.AioContext;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.TestDisk;
import org.tinamou.drivers.protocol.file.OnLoop;
import org.tinamou.qapi.Json;

class CopyOnReadTest {
  private static final int LENGTH = 8192;

  /** Three layers with a filter on top. */
  private static final class Chain {
    final BlockGraph graph;
    final List<BlockNode> nodes = new ArrayList<>();
    final List<OverlayDriver> layers = new ArrayList<>();
    final BlockBackend backend;

    Chain(AioContext context, @Nullable String bottom) throws BlockException {
      graph = new BlockGraph(context);
      for (String name : List.of("base", "middle", "top")) {
        nodes.add(
            graph.open(
                name,
                false,
                context,
                node -> {
                  OverlayDriver layer =
                      new OverlayDriver(
                          LENGTH,
                          nodes.isEmpty()
                              ? null
                              : node.attachChild(
                                  "backing",
                                  Set.of(EdgeRole.COPY_ON_WRITE),
                                  nodes.getLast(),
                                  Permission.CONSISTENT_READ,
                                  Permission.ALL));
                  layers.add(layer);
                  return layer;
                }));
      }
      Json.Members options =
          new Json.Members()
              .put("driver", new Json.Text("copy-on-read"))
              .put("file", new Json.Text("top"));
      if (bottom != null) {
        options.put("bottom", new Json.Text(bottom));
      }
      BlockNode filter =
          new NodeOpener(graph, Drivers.list())
              .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, context);
      backend = new BlockBackend(graph, "", context, Permission.ALL, Permission.ALL);
      backend.insert(filter);
      graph.release(filter);
    }

    void put(int layer, long sector, int value) {
      byte[] bytes = new byte[OverlayDriver.SECTOR_BYTES];
      java.util.Arrays.fill(bytes, (byte) value);
      layers.get(layer).sectors.put(sector * OverlayDriver.SECTOR_BYTES, bytes);
    }

    boolean has(int layer, long sector) {
      return layers.get(layer).sectors.containsKey(sector * OverlayDriver.SECTOR_BYTES);
    }

    byte[] read(long offset, int length) throws BlockException {
      try (Arena arena = Arena.ofShared()) {
        MemorySegment buffer = arena.allocate(length);
        backend.read(offset, IoVector.of(buffer), 0);
        return buffer.toArray(ValueLayout.JAVA_BYTE);
      }
    }

    void close() {
      backend.close();
      nodes.reversed().forEach(graph::release);
      assertTrue(graph.nodes().isEmpty());
    }
  }

  @Test
  void whatIsReadFromBelowIsKept() throws Exception {
    OnLoop.run(
        context -> {
          Chain chain = new Chain(context, null);
          chain.put(0, 1, 11);
          chain.put(1, 2, 12);
          chain.put(2, 3, 13);
          byte[] seen = chain.read(600, 1600);
          assertEquals(11, seen[0]);
          assertEquals(12, seen[1024 - 600]);
          assertEquals(13, seen[1536 - 600]);
          for (int sector = 1; sector <= 4; sector++) {
            assertTrue(chain.has(2, sector), "sector " + sector);
          }
          assertFalse(chain.has(2, 0) || chain.has(2, 5));
          chain.close();
        });
  }

  @Test
  void belowTheBottomNothingIsTaken() throws Exception {
    OnLoop.run(
        context -> {
          Chain chain = new Chain(context, "middle");
          chain.put(0, 1, 11);
          chain.put(1, 2, 12);
          byte[] seen = chain.read(0, LENGTH);
          assertEquals(11, seen[512]);
          assertEquals(12, seen[1024]);
          assertTrue(chain.has(2, 2));
          assertFalse(chain.has(2, 1) || chain.has(2, 0));
          chain.close();
        });
  }

  @Test
  void aWriteAtTheSameTimeIsNotLost() throws Exception {
    OnLoop.run(
        context -> {
          Chain chain = new Chain(context, null);
          for (int sector = 0; sector < LENGTH / OverlayDriver.SECTOR_BYTES; sector++) {
            chain.put(0, sector, 1);
          }
          AioContext.Forked<byte[]> reader = context.fork("read", () -> chain.read(0, LENGTH));
          AioContext.Forked<Boolean> writer =
              context.fork(
                  "write",
                  () -> {
                    try (Arena arena = Arena.ofShared()) {
                      MemorySegment bytes = arena.allocate(LENGTH).fill((byte) 2);
                      chain.backend.write(0, IoVector.of(bytes), 0);
                      return true;
                    }
                  });
          reader.join();
          writer.join();
          for (byte value : chain.read(0, LENGTH)) {
            assertEquals(2, value);
          }
          chain.close();
        });
  }

  @Test
  void aBottomThatIsNotThereIsNamed() throws Exception {
    OnLoop.run(
        context ->
            assertEquals(
                "Bottom node 'foo' not found",
                assertThrows(
                        BlockException.class,
                        () ->
                            TestDisk.open(
                                    context, "driver=copy-on-read,bottom=foo,file.driver=null-co")
                                .close())
                    .getMessage()));
  }

  @Test
  void itNeedsToWrite() throws Exception {
    OnLoop.run(
        context ->
            assertEquals(
                "Block node is read-only",
                assertThrows(
                        BlockException.class,
                        () ->
                            TestDisk.open(
                                    context,
                                    "driver=copy-on-read,file.driver=null-co",
                                    NodeOptions.READ_ONLY,
                                    Permission.CONSISTENT_READ,
                                    Permission.ALL)
                                .close())
                    .getMessage()));
  }
}

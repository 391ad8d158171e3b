package org.tinamou.drivers.filter.copybeforewrite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.ImageCreation;
import org.tinamou.drivers.protocol.file.OnLoop;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionList;

class CopyBeforeWriteTest {
  private static final int CLUSTER = 64 << 10;
  private static final int LENGTH = 4 * CLUSTER + 1024;

  @TempDir Path directory;

  /** A graph whose nodes are opened by option lists. */
  private static final class Stage implements AutoCloseable {
    final BlockGraph graph;
    final AioContext context;
    final List<BlockNode> opened = new ArrayList<>();

    Stage(AioContext context) {
      this.context = context;
      this.graph = new BlockGraph(context);
    }

    BlockNode open(String options) throws BlockException {
      Json.Members members = new Json.Members();
      OptionList.values(options).forEach(members::put);
      BlockNode node =
          new NodeOpener(graph, Drivers.list())
              .open(
                  ImageAddress.ofOptions(members),
                  NodeOptions.READ_WRITE.withDiscardUnmap(true),
                  context);
      opened.add(node);
      return node;
    }

    BlockBackend use(BlockNode node) throws BlockException {
      BlockBackend backend =
          new BlockBackend(
              graph, "", context, Permission.CONSISTENT_READ | Permission.WRITE, Permission.ALL);
      backend.insert(node);
      return backend;
    }

    @Override
    public void close() {
      graph.backends().forEach(BlockBackend::close);
      opened.reversed().forEach(graph::release);
      assertTrue(graph.nodes().isEmpty(), graph.nodes().toString());
    }
  }

  private static byte[] read(BlockBackend backend, long offset, int length) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(length);
      backend.read(offset, IoVector.of(buffer), 0);
      return buffer.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static void write(BlockBackend backend, long offset, int length, int value)
      throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(length).fill((byte) value);
      backend.write(offset, IoVector.of(buffer), 0);
    }
  }

  private byte[] makeFiles() throws Exception {
    byte[] content = new byte[LENGTH];
    Arrays.fill(content, CLUSTER, LENGTH, (byte) 7);
    Files.deleteIfExists(directory.resolve("source"));
    try (RandomAccessFile source =
        new RandomAccessFile(directory.resolve("source").toFile(), "rw")) {
      source.seek(CLUSTER); // the first cluster is a hole
      source.write(content, CLUSTER, LENGTH - CLUSTER);
    }
    Files.write(directory.resolve("target"), new byte[LENGTH]);
    Files.deleteIfExists(directory.resolve("image"));
    return content;
  }

  private String file(String name) {
    return "driver=file,node-name=" + name + ",filename=" + directory.resolve(name);
  }

  @Test
  void oldDataStayReadable() throws Exception {
    OnLoop.run(
        context -> {
          byte[] old = makeFiles();
          try (Stage stage = new Stage(context)) {
            stage.open(file("source"));
            stage.open(file("target"));
            BlockNode kept =
                stage.open("driver=copy-before-write,node-name=kept,file=source,target=target");
            BlockBackend guest = stage.use(kept);
            BlockBackend reader =
                stage.use(stage.open("driver=snapshot-access,node-name=access,file=kept"));
            assertTrue(reader.status(0, CLUSTER, true).has(BlockStatus.ZERO));
            write(guest, CLUSTER - 10, 30, 9);
            write(guest, LENGTH - 5, 5, 9);
            guest.writeZeroes(3 * CLUSTER, 100, 0);
            guest.discard(2 * CLUSTER, CLUSTER);
            assertArrayEquals(old, read(reader, 0, LENGTH));
            assertTrue(reader.status(CLUSTER, CLUSTER, true).has(BlockStatus.DATA));
            assertEquals(9, read(guest, LENGTH - 1, 1)[0]);
            BlockException refused =
                assertThrows(BlockException.class, () -> write(reader, 0, 10, 1));
            assertEquals(Errno.EOPNOTSUPP, refused.errno());
          }
          byte[] target = Files.readAllBytes(directory.resolve("target"));
          assertArrayEquals(old, target, "every cluster was written to");
        });
  }

  @Test
  void aTargetAboveTheSourceShowsTheOldData() throws Exception {
    OnLoop.run(
        context -> {
          byte[] old = makeFiles();
          Path image = directory.resolve("image");
          ImageCreation.create(
              context,
              ObjectRegistry.none(),
              image,
              image.toString(),
              "qcow2",
              ImageCreation.options("qcow2").parse("size=" + LENGTH));
          try (Stage stage = new Stage(context)) {
            stage.open(file("source"));
            stage.open(
                "driver=qcow2,node-name=image,backing=source,file.driver=file,file.filename="
                    + image);
            BlockNode kept =
                stage.open("driver=copy-before-write,node-name=kept,file=source,target=image");
            BlockBackend guest = stage.use(kept);
            BlockBackend reader =
                stage.use(java.util.Objects.requireNonNull(stage.graph.node("image")));
            write(guest, 2 * CLUSTER - 1, 2, 1);
            assertArrayEquals(old, read(reader, 0, LENGTH));
            assertEquals(1, read(guest, 2 * CLUSTER, 1)[0]);
          }
        });
  }

  @Test
  void onlyWhatABitmapHasIsKept() throws Exception {
    OnLoop.run(
        context -> {
          makeFiles();
          try (Stage stage = new Stage(context)) {
            BlockNode source = stage.open(file("source"));
            stage.open(file("target"));
            DirtyBitmap bitmap = source.bitmaps().create("b", LENGTH, CLUSTER);
            bitmap.mark(CLUSTER, 1);
            BlockNode kept =
                stage.open(
                    "driver=copy-before-write,node-name=kept,file=source,target=target,"
                        + "bitmap.node=source,bitmap.name=b");
            BlockBackend guest = stage.use(kept);
            BlockBackend reader =
                stage.use(stage.open("driver=snapshot-access,node-name=access,file=kept"));
            write(guest, 0, LENGTH, 1);
            assertEquals(7, read(reader, CLUSTER, CLUSTER)[17]);
            BlockException refused =
                assertThrows(BlockException.class, () -> read(reader, 0, CLUSTER + 1));
            assertEquals(Errno.EACCES, refused.errno());
            reader.discard(CLUSTER, CLUSTER);
            assertThrows(BlockException.class, () -> read(reader, CLUSTER, 1));
          }
        });
    byte[] target = Files.readAllBytes(directory.resolve("target"));
    assertEquals(0, target[2 * CLUSTER]);
    assertEquals(0, target[CLUSTER], "what nobody will read is discarded");
  }

  private static final String FAILING =
      "driver=blkdebug,node-name=failing,image=target,inject-error.0.event=write_aio,"
          + "inject-error.0.errno=28,inject-error.0.once=on";

  @Test
  void aFailedCopyFailsTheGuest() throws Exception {
    OnLoop.run(
        context -> {
          byte[] old = makeFiles();
          try (Stage stage = new Stage(context)) {
            stage.open(file("source"));
            stage.open(file("target"));
            stage.open(FAILING.replace("write_aio", "pwritev"));
            BlockNode kept =
                stage.open("driver=copy-before-write,node-name=kept,file=source,target=failing");
            BlockBackend guest = stage.use(kept);
            BlockBackend reader =
                stage.use(stage.open("driver=snapshot-access,node-name=access,file=kept"));
            BlockException failed =
                assertThrows(BlockException.class, () -> write(guest, CLUSTER, 10, 1));
            assertEquals(Errno.ENOSPC, failed.errno());
            assertEquals(7, read(guest, CLUSTER, 1)[0]);
            write(guest, CLUSTER, 10, 1);
            assertArrayEquals(old, read(reader, 0, LENGTH));
          }
        });
  }

  @Test
  void aFailedCopyBreaksTheSnapshotIfThatIsWanted() throws Exception {
    OnLoop.run(
        context -> {
          makeFiles();
          try (Stage stage = new Stage(context)) {
            stage.open(file("source"));
            stage.open(file("target"));
            stage.open(FAILING.replace("write_aio", "pwritev"));
            BlockNode kept =
                stage.open(
                    "driver=copy-before-write,node-name=kept,file=source,target=failing,"
                        + "on-cbw-error=break-snapshot");
            BlockBackend guest = stage.use(kept);
            BlockBackend reader =
                stage.use(stage.open("driver=snapshot-access,node-name=access,file=kept"));
            write(guest, CLUSTER, 10, 1);
            assertEquals(1, read(guest, CLUSTER, 1)[0]);
            BlockException broken =
                assertThrows(BlockException.class, () -> read(reader, 3 * CLUSTER, 1));
            assertEquals(Errno.EACCES, broken.errno());
          }
        });
  }

  @Test
  void wrongOptionsAreToldAsTheReferenceDoes() throws Exception {
    OnLoop.run(
        context -> {
          makeFiles();
          try (Stage stage = new Stage(context)) {
            stage.open(file("source"));
            stage.open(file("target"));
            String start = "driver=copy-before-write,file=source,target=target,";
            assertMessage(
                stage, "Dirty bitmap 'b' not found", start + "bitmap.node=source,bitmap.name=b");
            assertMessage(stage, "Node 'zz' not found", start + "bitmap.node=zz,bitmap.name=b");
            assertMessage(
                stage, "min-cluster-size needs to be a power of 2", start + "min-cluster-size=3");
          }
        });
  }

  private static void assertMessage(Stage stage, String expected, String options) {
    Exception failed = assertThrows(Exception.class, () -> stage.open(options));
    assertEquals(expected, failed.getMessage());
  }
}

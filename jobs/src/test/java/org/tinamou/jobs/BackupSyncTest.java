package org.tinamou.jobs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.ImageCreation;
import org.tinamou.jobs.BackupParameters.Sync;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionList;

/** Backups of a part of a disk. */
class BackupSyncTest {
  private static final int CLUSTER = 64 << 10;
  private static final int LENGTH = 8 * CLUSTER;

  @TempDir Path directory;

  private static BlockNode open(BlockGraph graph, String options) throws BlockException {
    Json.Members members = new Json.Members();
    OptionList.values(options).forEach(members::put);
    return new NodeOpener(graph, Drivers.list())
        .open(ImageAddress.ofOptions(members), NodeOptions.READ_WRITE, graph.main());
  }

  private BlockNode image(BlockGraph graph, String name, String backing) throws Exception {
    Path path = directory.resolve(name);
    ImageCreation.create(
        graph.main(),
        ObjectRegistry.none(),
        path,
        path.toString(),
        "qcow2",
        ImageCreation.options("qcow2").parse("size=" + LENGTH));
    return open(
        graph,
        "driver=qcow2,node-name="
            + name
            + ",file.driver=file,file.filename="
            + path
            + ",backing="
            + backing);
  }

  private static BlockBackend use(BlockGraph graph, BlockNode node) throws BlockException {
    BlockBackend backend =
        new BlockBackend(
            graph, "", graph.main(), Permission.CONSISTENT_READ | Permission.WRITE, Permission.ALL);
    backend.insert(node);
    return backend;
  }

  private static byte[] read(BlockBackend backend) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(LENGTH);
      backend.read(0, IoVector.of(buffer), 0);
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

  private BlockNode base(BlockGraph graph) throws Exception {
    byte[] content = new byte[LENGTH];
    Arrays.fill(content, (byte) 3);
    Path path = directory.resolve("base");
    Files.write(path, content);
    return open(graph, "driver=file,node-name=base,filename=" + path);
  }

  /** What a test does with a graph. */
  @FunctionalInterface
  private interface Body {
    void run(BlockGraph graph, JobList jobs) throws Exception;
  }

  private static void onMain(Body body) throws Exception {
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      main.runUntilDone(
          "test",
          () -> {
            BlockGraph graph = new BlockGraph(main);
            body.run(graph, new JobList(main));
            assertTrue(graph.nodes().isEmpty(), graph.nodes().toString());
            return true;
          });
    }
  }

  @Test
  void topCopiesWhatTheSourceItselfHas() throws Exception {
    onMain(
        (graph, jobs) -> {
          BlockNode base = base(graph);
          BlockNode source = image(graph, "source", "base");
          BlockNode target = image(graph, "target", "base");
          BlockBackend guest = use(graph, source);
          write(guest, 3 * CLUSTER + 5, 10, 9);
          BackupJob job =
              BackupJob.create(
                  jobs, graph, JobSettings.of("j"), BackupParameters.of(source, target, Sync.TOP));
          job.start();
          assertNull(job.await());
          assertEquals(CLUSTER, job.progress().current());
          BlockBackend copy = use(graph, target);
          assertArrayEquals(read(guest), read(copy));
          guest.close();
          copy.close();
          graph.release(source);
          graph.release(target);
          graph.release(base);
        });
  }

  @Test
  void noneKeepsWhatGuestsWriteOver() throws Exception {
    onMain(
        (graph, jobs) -> {
          BlockNode source = base(graph);
          BlockNode target = image(graph, "target", "base");
          BlockBackend guest = use(graph, source);
          byte[] old = read(guest);
          BackupJob job =
              BackupJob.create(
                  jobs, graph, JobSettings.of("j"), BackupParameters.of(source, target, Sync.NONE));
          job.start();
          write(guest, CLUSTER - 1, 2, 8);
          BlockBackend copy = use(graph, target);
          assertArrayEquals(old, read(copy));
          for (int i = 0; i < 5; i++) {
            Coroutine.yieldNow();
          }
          job.cancelBlockJob(false);
          assertNotNull(job.await());
          assertEquals(2 * CLUSTER, job.progress().current());
          copy.close();
          guest.close();
          graph.release(target);
          graph.release(source);
        });
  }
}

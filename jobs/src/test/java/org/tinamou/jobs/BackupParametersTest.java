package org.tinamou.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.jobs.BackupParameters.BitmapMode;
import org.tinamou.jobs.BackupParameters.Sync;
import org.tinamou.qapi.Json;

/** What is refused, in the words of the reference, and a backup that works. */
class BackupParametersTest {
  private static final long DISK_BYTES = 1 << 20;

  private static BlockNode disk(BlockGraph graph, String name, long bytes, boolean readOnly)
      throws Exception {
    Json.Members options =
        new Json.Members()
            .put("driver", new Json.Text("null-co"))
            .put("node-name", new Json.Text(name))
            .put("size", new Json.Text(Long.toString(bytes)))
            .put("read-zeroes", new Json.Text("on"));
    return new NodeOpener(graph, Drivers.list())
        .open(
            ImageAddress.ofOptions(options),
            readOnly ? NodeOptions.READ_ONLY : NodeOptions.READ_WRITE,
            graph.main());
  }

  private static void assertRefused(
      String expected, JobList jobs, BlockGraph graph, BackupParameters parameters) {
    BlockException refused =
        assertThrows(
            BlockException.class,
            () -> BackupJob.create(jobs, graph, JobSettings.of("j"), parameters));
    assertEquals(expected, refused.getMessage());
    assertTrue(jobs.all().isEmpty(), "no job is left");
    assertEquals(4, graph.nodes().size(), "no filter is left");
  }

  @Test
  void nonsenseIsRefused() throws Exception {
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      main.runUntilDone(
          "test",
          () -> {
            BlockGraph graph = new BlockGraph(main);
            JobList jobs = new JobList(main);
            BlockNode source = disk(graph, "s", DISK_BYTES, false);
            BlockNode target = disk(graph, "t", DISK_BYTES, false);
            BlockNode larger = disk(graph, "t2", 2 * DISK_BYTES, false);
            BlockNode readOnly = disk(graph, "ro", DISK_BYTES, true);
            source.bitmaps().create("b0", DISK_BYTES, 65536);
            BackupParameters full = BackupParameters.of(source, target, Sync.FULL);
            refuseBitmaps(jobs, graph, source, target);
            assertRefused(
                "Source and target cannot be the same",
                jobs,
                graph,
                BackupParameters.of(source, source, Sync.FULL));
            assertRefused(
                "Source and target image have different sizes",
                jobs,
                graph,
                BackupParameters.of(source, larger, Sync.FULL));
            assertRefused(
                "Could not create node: Block node is read-only",
                jobs,
                graph,
                BackupParameters.of(source, readOnly, Sync.FULL));
            assertRefused(
                "max-workers must be between 1 and 2147483647",
                jobs,
                graph,
                full.copying(0, 0, 0, false));
            assertRefused(
                "max-chunk must be zero (which means no limit) or positive",
                jobs,
                graph,
                full.copying(1, -1, 0, false));
            assertRefused(
                "Required max-chunk (1000) is less than backup cluster size (65536)",
                jobs,
                graph,
                full.copying(1, 1000, 0, false));
            for (BlockNode node : graph.nodes()) {
              graph.release(node);
            }
            return true;
          });
    }
  }

  private static void refuseBitmaps(
      JobList jobs, BlockGraph graph, BlockNode source, BlockNode target) {
    BackupParameters full = BackupParameters.of(source, target, Sync.FULL);
    BackupParameters some = BackupParameters.of(source, target, Sync.BITMAP);
    BackupParameters more = BackupParameters.of(source, target, Sync.INCREMENTAL);
    BackupParameters none = BackupParameters.of(source, target, Sync.NONE);
    assertRefused(
        "must provide a valid bitmap name for 'incremental' sync mode", jobs, graph, more);
    assertRefused(
        "Bitmap sync mode must be given when providing a bitmap",
        jobs,
        graph,
        some.withBitmap("b0", null));
    assertRefused("Bitmap 'zz' could not be found", jobs, graph, more.withBitmap("zz", null));
    assertRefused(
        "Bitmap sync mode must be 'on-success' when using sync mode 'incremental'",
        jobs,
        graph,
        more.withBitmap("b0", BitmapMode.NEVER));
    assertRefused(
        "sync mode 'none' does not produce meaningful bitmap outputs",
        jobs,
        graph,
        none.withBitmap("b0", BitmapMode.ALWAYS));
    assertRefused(
        "Bitmap sync mode 'never' has no meaningful effect when combined with sync mode 'full'",
        jobs,
        graph,
        full.withBitmap("b0", BitmapMode.NEVER));
    assertRefused(
        "Cannot specify bitmap sync mode without a bitmap",
        jobs,
        graph,
        full.withBitmap(null, BitmapMode.ALWAYS));
  }

  @Test
  void anIncrementalBackupCleansItsBitmap() throws Exception {
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      main.runUntilDone(
          "test",
          () -> {
            BlockGraph graph = new BlockGraph(main);
            JobList jobs = new JobList(main);
            BlockNode source = disk(graph, "s", DISK_BYTES, false);
            BlockNode target = disk(graph, "t", DISK_BYTES, false);
            DirtyBitmap bitmap = source.bitmaps().create("b0", DISK_BYTES, 65536);
            bitmap.mark(0, 3 * 65536);
            BackupJob job =
                BackupJob.create(
                    jobs,
                    graph,
                    JobSettings.of("j"),
                    BackupParameters.of(source, target, Sync.INCREMENTAL)
                        .withBitmap("b0", null)
                        .onErrors(ErrorPolicy.REPORT, ErrorPolicy.REPORT, false));
            assertEquals(3 * 65536, job.progress().total());
            assertEquals(3, graph.nodes().size());
            job.start();
            assertNull(job.await());
            assertEquals(3 * 65536, job.progress().current());
            assertEquals(2, graph.nodes().size());
            assertEquals(0, source.bitmaps().get("b0").countBytes());
            graph.release(source);
            graph.release(target);
            return true;
          });
    }
  }
}

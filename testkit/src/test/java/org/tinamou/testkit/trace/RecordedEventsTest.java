package org.tinamou.testkit.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tinamou.aio.AioContext;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.block.trace.ContextMoveEvent;
import org.tinamou.block.trace.DrainEvent;
import org.tinamou.block.trace.RequestEvent;
import org.tinamou.drivers.Drivers;
import org.tinamou.qapi.Json;
import org.tinamou.testkit.sim.Simulation;

/** What a flight recording tells of a disk that is used, drained and moved. */
final class RecordedEventsTest {
  private final Simulation simulation = new Simulation(1, false);
  private final AioContext main = simulation.newLoop("main");
  private final AioContext second = simulation.newLoop("second");

  @TempDir private Path folder;

  @Test
  void requestsDrainsAndMovesAreRecorded() throws Exception {
    List<RecordedEvent> events;
    try (Recording recording = new Recording()) {
      recording.enable(RequestEvent.class);
      recording.enable(DrainEvent.class);
      recording.enable(ContextMoveEvent.class);
      recording.start();
      main.spawn("user", this::useDisk);
      assertTrue(simulation.run(1_000_000), "still busy");
      recording.stop();
      events = read(recording);
    }
    RecordedEvent read = the(events, RequestEvent.NAME, 0);
    assertEquals("disk", read.getString("backend"));
    assertEquals("read", read.getString("kind"));
    assertEquals("main", read.getString("loop"));
    assertEquals(4096, read.getLong("offsetBytes"));
    assertEquals(512, read.getLong("lengthBytes"));
    assertFalse(read.getBoolean("failed"));
    assertTrue(the(events, RequestEvent.NAME, 1).getBoolean("failed"), "beyond the end");
    assertTrue(
        events.stream().anyMatch(e -> is(e, DrainEvent.NAME) && e.getString("who").equals("test")));
    RecordedEvent move = the(events, ContextMoveEvent.NAME, 0);
    assertEquals("second", move.getString("target"));
    assertEquals(1, move.getInt("nodes"));
  }

  private void useDisk() throws BlockException {
    BlockGraph graph = new BlockGraph(main);
    Json.Members options = new Json.Members().put("driver", "null-co").put("size", 1 << 20);
    BlockNode node =
        new NodeOpener(graph, Drivers.list())
            .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, main);
    BlockBackend backend = new BlockBackend(graph, "disk", main, Permission.ALL, Permission.ALL);
    backend.insert(node);
    graph.release(node);
    try (Arena arena = Arena.ofShared()) {
      IoVector buffer = IoVector.of(arena.allocate(512));
      backend.read(4096, buffer, RequestFlags.NONE);
      try {
        backend.read(1 << 20, buffer, RequestFlags.NONE);
        throw new AssertionError("read beyond the end");
      } catch (BlockException expected) {
        // That is recorded.
      }
    }
    try (DrainedSection drained = node.drain("test")) {
      assertFalse(drained.who().isEmpty());
    }
    backend.moveToContext(second);
    backend.close();
  }

  private List<RecordedEvent> read(Recording recording) throws IOException {
    Path file = folder.resolve("recording.jfr");
    recording.dump(file);
    return RecordingFile.readAllEvents(file);
  }

  private static boolean is(RecordedEvent event, String name) {
    return event.getEventType().getName().equals(name);
  }

  private static RecordedEvent the(List<RecordedEvent> events, String name, int index) {
    return events.stream().filter(event -> is(event, name)).skip(index).findFirst().orElseThrow();
  }
}

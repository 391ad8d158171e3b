package org.tinamou.daemon;

import java.util.function.Consumer;
import org.tinamou.aio.HomeThread;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.NodeEvent;
import org.tinamou.monitor.Events;
import org.tinamou.qapi.Json;

/** Events of nodes as monitors hear of them. */
final class NodeEventReport implements Consumer<NodeEvent> {
  private final Events events;

  NodeEventReport(Events events) {
    this.events = events;
  }

  @HomeThread
  @Override
  public void accept(NodeEvent event) {
    switch (event) {
      case NodeEvent.QuorumBad bad -> {
        Json.Members data = new Json.Members().put("node-name", bad.child().name());
        data.put("sectors-count", bad.sectorCount()).put("sector-num", bad.sector());
        data.put("type", bad.operation());
        if (bad.error() != null) {
          data.put("error", bad.error());
        }
        events.emit("QUORUM_REPORT_BAD", data);
      }
      case NodeEvent.ImageCorrupted corrupted -> {
        Json.Members data = new Json.Members().put("device", driveOf(corrupted.node()));
        data.put("node-name", corrupted.node().name()).put("msg", corrupted.message());
        if (corrupted.offsetBytes() >= 0) {
          data.put("offset", corrupted.offsetBytes()).put("size", corrupted.lengthBytes());
        }
        events.emit("BLOCK_IMAGE_CORRUPTED", data.put("fatal", corrupted.fatal()));
      }
      case NodeEvent.QuorumFailure failure ->
          events.emit(
              "QUORUM_FAILURE",
              new Json.Members()
                  .put("reference", nameOf(failure.node()))
                  .put("sectors-count", failure.sectorCount())
                  .put("sector-num", failure.sector()));
    }
  }

  /** The name of the drive that a node is in, else its own. */
  private static String nameOf(BlockNode node) {
    String drive = driveOf(node);
    return drive.isEmpty() ? node.name() : drive;
  }

  /** The name of the drive that a node is in, or an empty text. */
  private static String driveOf(BlockNode node) {
    for (Edge edge : node.parents()) {
      if (edge.parent() instanceof BlockBackend backend && !backend.name().isEmpty()) {
        return backend.name();
      }
    }
    return "";
  }
}

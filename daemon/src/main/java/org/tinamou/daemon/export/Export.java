package org.tinamou.daemon.export;

import java.util.List;
import org.tinamou.aio.HomeThread;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockNode;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.qapi.Json;

/** A node that is shown to others under an id. Main loop. */
public final class Export {
  private final String id;
  private final BlockBackend backend;
  private final BlockExport shown;
  private final List<DirtyBitmap> bitmaps;
  private boolean shuttingDown;

  Export(String id, BlockBackend backend, BlockExport shown, List<DirtyBitmap> bitmaps) {
    this.id = id;
    this.backend = backend;
    this.shown = shown;
    this.bitmaps = bitmaps;
  }

  @HomeThread
  public String id() {
    return id;
  }

  /** What its requests go through. */
  @HomeThread
  public BlockBackend backend() {
    return backend;
  }

  BlockExport shown() {
    return shown;
  }

  List<DirtyBitmap> bitmaps() {
    return bitmaps;
  }

  boolean isShuttingDown() {
    return shuttingDown;
  }

  void shutDown() {
    shuttingDown = true;
  }

  Json.Members report() {
    BlockNode node = backend.node();
    return new Json.Members()
        .put("id", id)
        .put("type", "nbd")
        .put("node-name", node == null ? "" : node.name())
        .put("shutting-down", shuttingDown);
  }
}

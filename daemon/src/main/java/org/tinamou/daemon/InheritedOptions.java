package org.tinamou.daemon;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.ReopenChange;

/** What nodes take over from the ones above them when those are given other options. */
public final class InheritedOptions {
  private InheritedOptions() {}

  /**
   * Changes that give a node other options, and what was opened with it what it takes over. Each
   * node keeps what it was told itself.
   *
   * @param told what nodes below are told beside
   */
  @HomeThread
  public static List<ReopenChange> changes(
      BlockNode node,
      NodeOptions options,
      @Nullable Object driverOptions,
      Map<BlockNode, UnaryOperator<NodeOptions>> told) {
    List<ReopenChange> changes = new ArrayList<>();
    changes.add(new ReopenChange(node, options, driverOptions, List.of()));
    collectBelow(node, options, told, changes);
    return changes;
  }

  private static void collectBelow(
      BlockNode node,
      NodeOptions options,
      Map<BlockNode, UnaryOperator<NodeOptions>> told,
      List<ReopenChange> changes) {
    for (Edge edge : node.children()) {
      BlockNode child = edge.child();
      if (child.origin().openedWith() != node) {
        continue;
      }
      NodeOptions now = inherited(child, options);
      if (edge.roles().contains(EdgeRole.COPY_ON_WRITE)) {
        now =
            now.withReadOnly(child.options().readOnly())
                .withAutoReadOnly(child.options().autoReadOnly());
      }
      now = told.getOrDefault(child, UnaryOperator.identity()).apply(now);
      if (!now.equals(child.options())) {
        changes.add(new ReopenChange(child, now, null, List.of()));
      }
      collectBelow(child, now, told, changes);
    }
  }

  /** What a node takes over from its parent, apart from what it was told itself. */
  private static NodeOptions inherited(BlockNode child, NodeOptions parent) {
    Set<String> own = child.origin().options().keySet();
    NodeOptions now = child.options();
    if (!own.contains("read-only")) {
      now = now.withReadOnly(parent.readOnly());
    }
    if (!own.contains("auto-read-only")) {
      now = now.withAutoReadOnly(parent.autoReadOnly());
    }
    if (!own.contains("cache.direct")) {
      now = now.withCacheDirect(parent.cacheDirect());
    }
    return own.contains("cache.no-flush") ? now : now.withCacheNoFlush(parent.cacheNoFlush());
  }
}

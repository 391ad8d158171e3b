package org.tinamou.block;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.Errno;

/**
 * The graph as it will be: edges that point elsewhere, come or go, and nodes with other options,
 * while the graph itself has not changed yet. Main loop.
 */
final class GraphPlan {
  private final Map<Edge, BlockNode> targets = new LinkedHashMap<>();
  private final Set<Edge> leaving = new LinkedHashSet<>();
  private final Map<BlockNode, NodeOptions> options = new LinkedHashMap<>();
  private final Set<BlockNode> readOnly = new LinkedHashSet<>();

  /** The edge will point to that node; an edge that is not attached will be. */
  void point(Edge edge, BlockNode child) {
    targets.put(edge, child);
  }

  /** The edge will be gone. */
  void remove(Edge edge) {
    leaving.add(edge);
  }

  void change(BlockNode node, NodeOptions changed) {
    options.put(node, changed);
  }

  /** The node will be read-only although its options would let it be written to. */
  void keepReadOnly(BlockNode node) {
    readOnly.add(node);
  }

  boolean isReadOnly(BlockNode node) {
    if (readOnly.contains(node)) {
      return true;
    }
    NodeOptions changed = options.get(node);
    return changed == null ? node.isReadOnly() : changed.readOnly();
  }

  boolean isForceShare(BlockNode node) {
    return options.getOrDefault(node, node.options()).forceShare();
  }

  BlockNode child(Edge edge) {
    return targets.getOrDefault(edge, edge.child());
  }

  List<Edge> parents(BlockNode node) {
    if (targets.isEmpty() && leaving.isEmpty()) {
      return List.copyOf(node.parents());
    }
    List<Edge> parents = new ArrayList<>();
    for (Edge edge : node.parents()) {
      if (child(edge) == node && !leaving.contains(edge)) {
        parents.add(edge);
      }
    }
    targets.forEach(
        (edge, child) -> {
          if (child == node && !node.parents().contains(edge)) {
            parents.add(edge);
          }
        });
    return parents;
  }

  List<Edge> children(BlockNode node) {
    List<Edge> children = new ArrayList<>();
    for (Edge edge : node.children()) {
      if (!leaving.contains(edge)) {
        children.add(edge);
      }
    }
    for (Edge edge : targets.keySet()) {
      if (edge.parent() == node && !edge.isAttached()) {
        children.add(edge);
      }
    }
    return children;
  }

  /** Refuses edges that would make a node its own descendant. */
  void refuseCycles() throws BlockException {
    for (Map.Entry<Edge, BlockNode> each : targets.entrySet()) {
      if (each.getKey().parent() instanceof BlockNode parent
          && reaches(each.getValue(), parent, new HashSet<>())) {
        throw new BlockException(
            Errno.EINVAL,
            "Making '%s' a %s child of '%s' would create a cycle"
                .formatted(each.getValue().name(), each.getKey().name(), parent.name()));
      }
    }
  }

  private boolean reaches(BlockNode from, BlockNode to, Set<BlockNode> seen) {
    if (from == to) {
      return true;
    }
    if (seen.add(from)) {
      for (Edge edge : children(from)) {
        if (reaches(child(edge), to, seen)) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * Makes it so, in one go; permissions and references are the caller's affair.
   *
   * @param children told each edge with the child it had before, or null if it is new, and the one
   *     it has now, or null if it has gone
   */
  void apply(ChildChangeListener children) {
    options.forEach((node, changed) -> node.options(changed, readOnly.contains(node)));
    targets.forEach(
        (edge, child) -> {
          if (!edge.isAttached()) {
            edge.link();
            if (edge.parent() instanceof BlockNode parent) {
              parent.childJoined(edge);
            }
            children.changed(edge, null, child);
          } else if (edge.child() != child) {
            BlockNode before = edge.child();
            edge.retarget(child);
            children.changed(edge, before, child);
          }
        });
    for (Edge edge : leaving) {
      if (edge.parent() instanceof BlockNode parent) {
        parent.childLeft(edge);
      }
      edge.unlink();
      children.changed(edge, edge.child(), null);
    }
  }

  /** Hears of edges that came, went or turned. */
  @FunctionalInterface
  interface ChildChangeListener {
    void changed(Edge edge, @Nullable BlockNode before, @Nullable BlockNode now);
  }
}

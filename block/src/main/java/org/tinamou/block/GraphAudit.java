package org.tinamou.block;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.tinamou.aio.HomeThread;

/**
 * Recomputes from scratch what must hold of a graph at any moment on its main loop: symmetric and
 * acyclic edges, consistent permissions, one loop for what is connected, and quiesce counts that
 * equal the open drained sections.
 */
public final class GraphAudit {
  private final BlockGraph graph;
  private final List<String> problems = new ArrayList<>();

  private GraphAudit(BlockGraph graph) {
    this.graph = graph;
  }

  /** What does not hold, in words; empty if all is well. */
  @HomeThread
  public static List<String> problems(BlockGraph graph) {
    GraphAudit audit = new GraphAudit(graph);
    for (BlockNode node : graph.nodes()) {
      audit.edges(node);
      audit.permissions(node);
      audit.quiescing(node);
      if (!graph.isChanging()) {
        audit.contexts(node);
        audit.permissionsBelow(node);
      }
    }
    audit.cycles();
    return audit.problems;
  }

  private void edges(BlockNode node) {
    for (Edge edge : node.children()) {
      if (edge.parent() != node || !edge.child().parents().contains(edge)) {
        problems.add("I15: " + edge + " is not known to both ends");
      }
      if (edge.child().isClosed()) {
        problems.add("I8: " + edge + " leads to a closed node");
      }
    }
    for (Edge edge : node.parents()) {
      if (edge.child() != node || !edge.isAttached()) {
        problems.add("I15: " + edge + " is listed by " + node);
      }
      if (edge.parent() instanceof BlockNode parent && !parent.children().contains(edge)) {
        problems.add("I15: " + edge + " is unknown to its parent");
      }
    }
  }

  private void permissions(BlockNode node) {
    for (Edge edge : node.parents()) {
      for (Edge other : node.parents()) {
        if (edge != other && (edge.permissions() & ~other.shared()) != 0) {
          problems.add("I15: " + edge + " uses what " + other + " does not share");
        }
      }
      if (node.isReadOnly() && (edge.permissions() & Permission.WRITE) != 0) {
        problems.add("I15: " + edge + " writes to a read-only node");
      }
    }
  }

  private void permissionsBelow(BlockNode node) {
    BlockDriver driver = node.driverOrNull();
    if (driver == null) {
      return;
    }
    for (Edge edge : node.children()) {
      PermissionPair expected = PermissionUpdate.expected(node, driver, edge);
      if (expected.used() != edge.permissions() || expected.shared() != edge.shared()) {
        problems.add(
            "I15: %s has permissions %d/%d, expected %s"
                .formatted(edge, edge.permissions(), edge.shared(), expected));
      }
    }
  }

  private void quiescing(BlockNode node) {
    int expected = 0;
    for (DrainedSection section : graph.openSections()) {
      expected += section.nodes().contains(node) ? 1 : 0;
    }
    for (Edge edge : node.children()) {
      expected += edge.quiescesParent() ? 1 : 0;
      if (edge.quiescesParent() != edge.child().isQuiesced()) {
        problems.add("I7: " + edge + " does not follow its child's drained sections");
      }
    }
    if (node.quiesceCount() != expected) {
      problems.add(
          "I7: %s has quiesce count %d, expected %d"
              .formatted(node, node.quiesceCount(), expected));
    }
  }

  private void contexts(BlockNode node) {
    for (Edge edge : node.parents()) {
      if (edge.parent().context() != node.context()) {
        problems.add("I15: " + edge + " joins two loops");
      }
    }
  }

  /** Looks at every edge once: one that leads back to a node above it closes a cycle. */
  private void cycles() {
    Set<BlockNode> above = new HashSet<>();
    Set<BlockNode> seen = new HashSet<>();
    for (BlockNode node : graph.nodes()) {
      cycles(node, above, seen);
    }
  }

  private void cycles(BlockNode at, Set<BlockNode> above, Set<BlockNode> seen) {
    if (!seen.add(at)) {
      return;
    }
    above.add(at);
    for (Edge edge : at.children()) {
      if (above.contains(edge.child())) {
        problems.add("I15: " + edge.child() + " is below itself");
      } else {
        cycles(edge.child(), above, seen);
      }
    }
    above.remove(at);
  }
}

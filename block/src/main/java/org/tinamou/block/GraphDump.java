package org.tinamou.block;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.tinamou.aio.HomeThread;

/** Draws a graph for people: as text, or as DOT for Graphviz. */
public final class GraphDump {
  private GraphDump() {}

  /** One paragraph for each node and backend: loop, counts, edges, requests, drained sections. */
  @HomeThread
  public static String text(BlockGraph graph) {
    StringBuilder text = new StringBuilder();
    for (BlockBackend backend : graph.backends()) {
      BlockNode node = backend.node();
      text.append(backend.describe())
          .append(" in ")
          .append(backend.context().name())
          .append(node == null ? " without medium" : " on " + node.describe())
          .append(", in flight ")
          .append(backend.inFlightCount())
          .append(backend.isQuiesced() ? ", quiesced" : "")
          .append(node == null ? "" : drainers(graph, node))
          .append('\n');
      for (WaitingRequest request : backend.waitingRequests()) {
        text.append("  ").append(request).append('\n');
      }
    }
    for (BlockNode node : graph.nodes()) {
      BlockDriver driver = node.driverOrNull();
      text.append(node.describe())
          .append(" (")
          .append(driver == null ? "no driver" : driver.formatName())
          .append(node.isReadOnly() ? ", read-only" : "")
          .append(") in ")
          .append(node.context().name())
          .append(", in flight ")
          .append(node.inFlightCount())
          .append(", drained ")
          .append(node.quiesceCount())
          .append(drainers(graph, node))
          .append('\n');
      for (Edge edge : node.children()) {
        text.append("  ").append(edge.name()).append(" -> ").append(edge.child().name());
        text.append(" uses [").append(Permission.names(edge.permissions()));
        text.append("] shares [").append(Permission.names(edge.shared())).append("]\n");
      }
      for (String request : node.requests().dump()) {
        text.append("  ").append(request).append('\n');
      }
    }
    for (DrainedSection section : graph.openSections()) {
      text.append(section).append('\n');
    }
    return text.toString();
  }

  /** Who drains the node or something below it. */
  private static String drainers(BlockGraph graph, BlockNode top) {
    Set<BlockNode> below = new LinkedHashSet<>();
    collect(top, below);
    List<String> who = new ArrayList<>();
    for (DrainedSection section : graph.openSections()) {
      if (section.nodes().stream().anyMatch(below::contains)) {
        who.add(section.who());
      }
    }
    return who.isEmpty() ? "" : " by " + String.join(", ", who);
  }

  private static void collect(BlockNode node, Set<BlockNode> found) {
    if (found.add(node)) {
      for (Edge edge : node.children()) {
        collect(edge.child(), found);
      }
    }
  }

  /** A digraph in the DOT language. */
  @HomeThread
  public static String dot(BlockGraph graph) {
    StringBuilder dot = new StringBuilder("digraph block {\n");
    for (BlockBackend backend : graph.backends()) {
      BlockNode node = backend.node();
      String id = quoted(backend.describe());
      dot.append("  ").append(id).append(" [shape=box];\n");
      if (node != null) {
        dot.append("  ").append(id).append(" -> ").append(quoted(node.name())).append(";\n");
      }
    }
    for (BlockNode node : graph.nodes()) {
      BlockDriver driver = node.driverOrNull();
      String label =
          node.name()
              + "\\n"
              + (driver == null ? "-" : driver.formatName())
              + "\\n"
              + node.context().name();
      dot.append("  ").append(quoted(node.name())).append(" [label=").append(quoted(label));
      dot.append(node.isQuiesced() ? ", style=filled" : "").append("];\n");
      for (Edge edge : node.children()) {
        dot.append("  ").append(quoted(node.name())).append(" -> ");
        dot.append(quoted(edge.child().name()));
        dot.append(" [label=").append(quoted(edge.name())).append("];\n");
      }
    }
    return dot.append("}\n").toString();
  }

  private static String quoted(String text) {
    return '"' + text.replace("\"", "\\\"") + '"';
  }
}

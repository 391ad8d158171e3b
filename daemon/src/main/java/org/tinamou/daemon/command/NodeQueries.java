package org.tinamou.daemon.command;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeNames;
import org.tinamou.block.Permission;
import org.tinamou.block.stats.BlockStatistics;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.export.Export;
import org.tinamou.drivers.protocol.file.FileNode;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** What is asked about the graph. */
final class NodeQueries {
  private final Daemon daemon;

  NodeQueries(Daemon daemon) {
    this.daemon = daemon;
  }

  void register(CommandList list) {
    list.query("query-named-block-nodes", this::nodes);
    list.query("query-blockstats", this::statistics);
    list.query("x-query-blockstats-by-context", _ -> byContext());
    list.query("x-debug-query-block-graph", _ -> graph());
  }

  private Json nodes(OptionReader arguments) throws OptionException, BlockException {
    boolean flat = arguments.bool("flat", false);
    Json.Array all = new Json.Array();
    for (BlockNode node : inOrder().reversed()) {
      Json.Members report = report(node, flat);
      if (report != null) {
        all.add(report);
      }
    }
    return all;
  }

  /** Looking takes time: what has gone since is left out, and what has changed looked at again. */
  private Json.@Nullable Members report(BlockNode node, boolean flat) throws BlockException {
    while (!node.isClosed()) {
      List<BlockNode> before = List.copyOf(daemon.graph().nodes());
      try {
        return NodeReport.of(node, flat);
      } catch (BlockException failed) {
        if (before.equals(List.copyOf(daemon.graph().nodes()))) {
          throw failed;
        }
      }
    }
    return null;
  }

  /**
   * The nodes in the order in which the reference names them: a format's file is there before the
   * format, everything else after its parent.
   */
  private List<BlockNode> inOrder() {
    List<BlockNode> created = new ArrayList<>(daemon.graph().nodes());
    created.removeIf(node -> node.driverOrNull() == null);
    Map<BlockNode, Integer> places = new LinkedHashMap<>();
    created.forEach(node -> places.put(node, places.size()));
    List<BlockNode> order = new ArrayList<>();
    Set<BlockNode> seen = new HashSet<>();
    created.forEach(node -> visit(node, places, seen, order));
    return order;
  }

  private static int place(BlockNode node, Map<BlockNode, Integer> places) {
    return places.getOrDefault(node, -1);
  }

  private static void visit(
      BlockNode node, Map<BlockNode, Integer> places, Set<BlockNode> seen, List<BlockNode> order) {
    if (!seen.add(node)) {
      return;
    }
    Edge file = node.child("file");
    if (file != null && place(file.child(), places) > place(node, places)) {
      visit(file.child(), places, seen, order);
    }
    order.add(node);
  }

  // ---------------------------------------------------------------------------------- statistics

  private Json statistics(OptionReader arguments) throws OptionException {
    Json.Array all = new Json.Array();
    if (arguments.bool("query-nodes", false)) {
      inOrder().forEach(node -> all.add(statistics(node, false)));
      return all;
    }
    for (BlockBackend backend : daemon.graph().backends()) {
      BlockNode root = backend.node();
      BlockNode node = root == null ? null : NodeNames.shown(root);
      if (!backend.name().isEmpty()) {
        Json.Members report = node == null ? new Json.Members() : statistics(node, true);
        report.put("device", backend.name());
        BlockStatistics accounts = backend.statistics();
        if (accounts != null) {
          report.put("stats", accounts.report(node == null ? 0 : node.highestWrittenBytes()));
        }
        all.add(report);
      }
    }
    return all;
  }

  /** Of drives, and of exports that have a backend of their own. */
  private Json byContext() {
    Json.Array all = new Json.Array();
    for (BlockBackend backend : daemon.graph().backends()) {
      Export export = daemon.exports().through(backend);
      if (backend.name().isEmpty() && export == null) {
        continue;
      }
      Json.Members report = new Json.Members();
      if (!backend.name().isEmpty()) {
        report.put("device", backend.name());
      }
      if (export != null) {
        report.put("export", export.id());
      }
      BlockNode node = backend.node();
      if (node != null) {
        report.put("node-name", NodeNames.shown(node).name());
      }
      all.add(report.put("contexts", backend.contextCounts().report()));
    }
    return all;
  }

  private Json.Members statistics(BlockNode node, boolean withBacking) {
    Json.Members report = new Json.Members();
    report.put("node-name", node.name());
    report.put(
        "stats",
        new BlockStatistics(daemon.main().clocks(), false, false)
            .report(node.highestWrittenBytes()));
    if (node.driverOrNull() instanceof FileNode file && !file.formatName().equals("host_cdrom")) {
      FileNode.DiscardCounts discards = file.discardCounts();
      report.put(
          "driver-specific",
          new Json.Members()
              .put("driver", file.formatName())
              .put("discard-nb-ok", discards.succeeded())
              .put("discard-nb-failed", discards.failed())
              .put("discard-bytes-ok", discards.succeededBytes()));
    }
    BlockNode below = primary(node);
    if (below != null) {
      report.put("parent", statistics(below, false));
    }
    Edge backing = NodeCommands.copiedFrom(node);
    if (withBacking && backing != null) {
      report.put("backing", statistics(NodeNames.shown(backing.child()), true));
    }
    return report;
  }

  private static @Nullable BlockNode primary(BlockNode node) {
    for (Edge edge : node.children()) {
      if (edge.roles().contains(EdgeRole.PRIMARY)) {
        return edge.child();
      }
    }
    return null;
  }

  // --------------------------------------------------------------------------------------- graph

  /** Numbers everything that is met, in the order in which the reference meets it. */
  private static final class Drawing {
    final Map<Object, Integer> numbers = new LinkedHashMap<>();
    final List<Json> nodes = new ArrayList<>();
    final List<Json> edges = new ArrayList<>();

    int number(Object of) {
      return numbers.computeIfAbsent(of, _ -> numbers.size() + 1);
    }

    void node(Object of, String name, String type) {
      nodes.addFirst(new Json.Members().put("id", number(of)).put("type", type).put("name", name));
    }

    void edge(Object parent, Edge edge) {
      edges.addFirst(
          new Json.Members()
              .put("parent", number(parent))
              .put("child", number(edge.child()))
              .put("name", edge.name())
              .put("perm", permissions(edge.permissions()))
              .put("shared-perm", permissions(edge.shared())));
    }

    Json.Members report() {
      Json.Array allNodes = new Json.Array();
      nodes.forEach(allNodes::add);
      Json.Array allEdges = new Json.Array();
      edges.forEach(allEdges::add);
      return new Json.Members().put("nodes", allNodes).put("edges", allEdges);
    }
  }

  private static Json.Array permissions(int bits) {
    Json.Array names = new Json.Array();
    add(names, bits, Permission.RESIZE, "resize");
    add(names, bits, Permission.WRITE_UNCHANGED, "write-unchanged");
    add(names, bits, Permission.WRITE, "write");
    add(names, bits, Permission.CONSISTENT_READ, "consistent-read");
    return names;
  }

  private static void add(Json.Array names, int bits, int bit, String name) {
    if ((bits & bit) != 0) {
      names.add(new Json.Text(name));
    }
  }

  private Json graph() {
    Drawing drawing = new Drawing();
    for (BlockBackend backend : daemon.graph().backends()) {
      drawing.node(backend, backend.name(), "block-backend");
      Edge root = NodeCommands.root(backend);
      if (root != null) {
        drawing.edge(backend, root);
      }
    }
    for (BlockNode node : inOrder()) {
      drawing.node(node, node.name(), "block-driver");
      for (Edge edge : new ArrayList<>(node.children()).reversed()) {
        drawing.edge(node, edge);
      }
    }
    return drawing.report();
  }
}

package org.tinamou.testkit.workload;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockNode;
import org.tinamou.block.stats.BlockStatistics;
import org.tinamou.block.stats.IoKind;
import org.tinamou.testkit.sim.Simulation;

/** One disk of the graph workload: a driver at the bottom, filters, a backend with its accounts. */
final class GraphDisk {
  final BlockBackend backend;
  final MemoryDriver driver;

  /** What is at the bottom; a job may put another there. */
  BlockNode leaf;

  /** From the lowest to the highest. */
  final List<BlockNode> filters = new ArrayList<>();

  private final BlockStatistics accounts;
  private final Map<IoKind, Long> succeeded = new EnumMap<>(IoKind.class);
  private final Map<IoKind, Long> failed = new EnumMap<>(IoKind.class);

  GraphDisk(Simulation simulation, BlockBackend backend, BlockNode leaf, MemoryDriver driver) {
    this.backend = backend;
    this.leaf = leaf;
    this.driver = driver;
    this.accounts = new BlockStatistics(simulation.clocks());
    backend.setStatistics(accounts);
  }

  BlockNode top() {
    return filters.isEmpty() ? leaf : filters.getLast();
  }

  List<BlockNode> nodes() {
    List<BlockNode> all = new ArrayList<>(filters);
    all.add(leaf);
    return all;
  }

  /** What a user was told of a request. */
  void told(IoKind kind, boolean success) {
    (success ? succeeded : failed).merge(kind, 1L, Long::sum);
  }

  /** The accounts say just what the users were told. */
  void checkAccounts(Simulation simulation) {
    for (IoKind kind : IoKind.values()) {
      long good = succeeded.getOrDefault(kind, 0L);
      long bad = failed.getOrDefault(kind, 0L);
      simulation.require(
          accounts.operations(kind) == good && accounts.failedOperations(kind) == bad,
          "I9",
          "%s: %d done and %d failed, accounted %d and %d"
              .formatted(
                  kind, good, bad, accounts.operations(kind), accounts.failedOperations(kind)));
    }
  }
}

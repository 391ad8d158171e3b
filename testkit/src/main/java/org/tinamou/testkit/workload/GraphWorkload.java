package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleLimit;

/**
 * Users read and write their own parts of a few disks, each from loops of its choice, while the
 * main loop drains, moves, stacks filters, takes them out again, reopens and resizes. What was
 * written must be read; the graph must hold together after every step; nothing may happen inside a
 * drained section; everybody finishes.
 */
final class GraphWorkload extends GraphProgram {
  private final List<GraphDisk> disks = new ArrayList<>();
  private final List<Coroutine> users = new ArrayList<>();
  private @Nullable ThrottleGroup throttleGroup;
  private int nextFilter;

  @Override
  void control(Arena arena) throws Exception {
    int count = 1 + random().nextInt(2);
    for (int i = 0; i < count; i++) {
      disks.add(openDisk(i));
    }
    for (GraphDisk disk : disks) {
      for (int i = 0; i < USERS; i++) {
        GraphUser user = new GraphUser(simulation(), random(), loops(), disk, i, arena);
        users.add(anyLoop().spawn("user" + i, user::use));
      }
    }
    int operations = 3 + random().nextInt(15);
    for (int i = 0; i < operations; i++) {
      operate();
    }
    for (Coroutine user : users) {
      user.join();
    }
    for (GraphDisk disk : disks) {
      disk.checkAccounts(simulation());
      disk.backend.close();
      for (BlockNode filter : disk.filters) {
        graph().release(filter);
      }
      graph().release(disk.leaf);
    }
  }

  private GraphDisk openDisk(int number) throws BlockException {
    Disk opened = memory("disk" + number);
    BlockNode leaf = opened.node();
    BlockBackend backend =
        new BlockBackend(graph(), "backend" + number, anyLoop(), Permission.ALL, Permission.ALL);
    backend.setFollowsNode(random().chance(3, 4));
    backend.insert(leaf);
    if (random().nextBoolean()) {
      backend.setErrorPolicies(
          random().nextBoolean() ? ErrorPolicy.STOP : ErrorPolicy.ENOSPC, ErrorPolicy.AUTO);
      backend.onError(
          (kind, action, cause) -> {
            if (action == ErrorPolicy.STOP) {
              graph().main().scheduleOnce("resume", backend::resume);
            }
          });
    }
    return new GraphDisk(simulation(), backend, leaf, opened.driver());
  }

  private void operate() throws Exception {
    GraphDisk disk = any(disks);
    int choice = random().nextInt(13);
    simulation().note("operate", disk.leaf.name(), choice);
    switch (choice) {
      case 0 -> drain(disk, 0);
      case 1 -> drainAll();
      case 2 -> disk.backend.moveToContext(anyLoop());
      case 3 -> moveNode(disk);
      case 4, 5 -> stackFilter(disk);
      case 6 -> unstackFilter(disk);
      case 7 -> refuseConflict(disk);
      case 8, 9 -> new GraphReopens(simulation(), random(), graph(), true).any(disk);
      case 10 -> users.add(anyLoop().spawn("resizer", () -> resize(disk)));
      default -> {
        for (int i = random().nextInt(20); i > 0; i--) {
          Coroutine.yieldNow();
        }
      }
    }
  }

  private void drain(GraphDisk disk, int depth) throws Exception {
    BlockNode node = any(disk.nodes());
    try (DrainedSection drained = node.drain("test")) {
      checkIdle(disk, node);
      if (depth < 2 && random().chance(1, 3)) {
        drain(any(disks), depth + 1);
      }
      if (random().chance(1, 4)) {
        operate();
      }
    }
  }

  /** Nothing is under way from the node upwards, and if it is the leaf its driver is left alone. */
  private void checkIdle(GraphDisk disk, BlockNode drained) {
    simulation().require(drained.inFlightCount() == 0, "I6", "requests on a drained " + drained);
    for (Edge edge : drained.parents()) {
      if (edge.parent() instanceof BlockNode parent) {
        simulation().require(parent.inFlightCount() == 0, "I6", "requests above " + drained);
      }
    }
    simulation().require(disk.backend.inFlightCount() == 0, "I6", "backend busy above " + drained);
    if (drained == disk.leaf) {
      disk.driver.tripwire = true;
      for (int i = random().nextInt(30); i > 0; i--) {
        Coroutine.yieldNow();
      }
      disk.driver.tripwire = false;
    }
  }

  private void drainAll() {
    try (DrainedSection drained = graph().drainAll("test all")) {
      for (GraphDisk disk : disks) {
        checkIdle(disk, disk.leaf);
      }
    }
  }

  private void moveNode(GraphDisk disk) {
    AioContext target = anyLoop();
    AioContext before = disk.leaf.context();
    try {
      graph().moveToContext(any(disk.nodes()), target);
      simulation().require(disk.leaf.context() == target, "I5", "not everything has moved");
    } catch (BlockException refused) {
      simulation()
          .require(disk.leaf.context() == before, "I16", "a refused move changed something");
    }
  }

  /** Behind what the users write to. */
  private void resize(GraphDisk disk) {
    long length = DISK_BYTES + 512L * random().nextInt(8);
    try {
      disk.backend.truncate(length, true, PreallocationMode.OFF);
    } catch (BlockException injected) {
      simulation().note("resize failed", disk.leaf.name(), length);
    }
  }

  private void stackFilter(GraphDisk disk) throws BlockException {
    BlockNode below = disk.top();
    BlockNode filter =
        graph()
            .open(
                "filter" + nextFilter++,
                false,
                random().nextBoolean() ? below.context() : anyLoop(),
                node ->
                    new PassThroughDriver(
                        random(),
                        node,
                        throttleGroup(),
                        node.attachChild(
                            "file",
                            Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
                            below,
                            Permission.CONSISTENT_READ,
                            Permission.ALL)));
    disk.filters.add(filter);
    graph().replace(below, filter);
  }

  private void unstackFilter(GraphDisk disk) throws BlockException {
    if (disk.filters.isEmpty()) {
      return;
    }
    int index = random().nextInt(disk.filters.size());
    BlockNode filter = disk.filters.remove(index);
    BlockNode below = index == 0 ? disk.leaf : disk.filters.get(index - 1);
    graph().replace(filter, below);
    graph().release(filter);
  }

  /** Another user of the same node, who cannot bear writers: it is refused, and nothing changes. */
  private void refuseConflict(GraphDisk disk) {
    String before = GraphReopens.shape(graph());
    BlockBackend jealous =
        new BlockBackend(
            graph(),
            "jealous",
            disk.backend.context(),
            Permission.CONSISTENT_READ,
            Permission.CONSISTENT_READ);
    try {
      jealous.insert(any(disk.nodes()));
      simulation().require(false, "I15", "a user who shares nothing was let in beside a writer");
    } catch (BlockException expected) {
      simulation()
          .require(
              before.equals(GraphReopens.shape(graph())), "I16", "a refused change left traces");
    } finally {
      jealous.close();
    }
    refuseTightening(disk);
  }

  /** For one filter in four, whichever disk it belongs to. */
  private @Nullable ThrottleGroup throttleGroup() {
    if (random().chance(3, 4)) {
      return null;
    }
    if (throttleGroup == null) {
      ThrottleConfig limits =
          ThrottleConfig.UNLIMITED
              .withRequestsTotal(ThrottleLimit.of(2_000 + random().nextInt(20_000)))
              .withBytesTotal(ThrottleLimit.of(20_000_000));
      throttleGroup = new ThrottleGroup("group", simulation().clocks(), limits);
    }
    return throttleGroup;
  }

  /** A reader who shares everything, and then wants to share less. */
  private void refuseTightening(GraphDisk disk) {
    BlockBackend reader =
        new BlockBackend(
            graph(), "reader", disk.backend.context(), Permission.CONSISTENT_READ, Permission.ALL);
    reader.setFollowsNode(true);
    try {
      reader.insert(any(disk.nodes()));
    } catch (BlockException refused) {
      reader.close(); // the disk has gone to another loop and does not come back
      return;
    }
    String before = GraphReopens.shape(graph());
    try {
      reader.setPermissions(Permission.CONSISTENT_READ, Permission.CONSISTENT_READ);
      simulation().require(false, "I15", "a user who shares nothing stayed beside a writer");
    } catch (BlockException expected) {
      simulation()
          .require(
              before.equals(GraphReopens.shape(graph())), "I16", "a refused change left traces");
    }
    reader.close();
  }
}

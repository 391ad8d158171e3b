package org.tinamou.testkit.scenario;

import java.util.List;
import java.util.Set;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.ReopenChange;

/** Cycles, permissions, nodes without a driver or without an owner. */
final class GraphScenarios {
  private GraphScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario("G1", "no node becomes its own ancestor", GraphScenarios::cycles),
        new Scenario(
            "G4", "permissions follow a filter in and out", GraphScenarios::filterPermissions),
        new Scenario("G5", "permissions in a diamond", GraphScenarios::diamond),
        new Scenario(
            "G5",
            "a child that joins a node in use may be used at once",
            GraphScenarios::joinsInUse),
        new Scenario(
            "G6", "requests on a node that has given up its driver", GraphScenarios::disabled),
        new Scenario("G6", "a node closes with requests under way", GraphScenarios::closing),
        new Scenario("G7", "writes to an inactive node are errors", GraphScenarios::inactive),
        new Scenario(
            "S32", "a write after the permission was dropped is caught", GraphScenarios::dropped),
        new Scenario(
            "S32", "two users ask for the same at once: one gets it", GraphScenarios::exclusive),
        new Scenario(
            "S32",
            "a filter that would take more than is shared is refused",
            GraphScenarios::greedy),
        new Scenario(
            "S33",
            "the last reference goes while the graph changes",
            GraphScenarios::lastReference));
  }

  private static void cycles(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.anyLoop());
    StagedFilter low = stage.filter("low", disk.node);
    StagedFilter high = stage.filter("high", low.node);
    stage.backend("user", high.node);
    stage.refused(
        Errno.EINVAL,
        "Making 'high' a file child of 'low' would create a cycle",
        () ->
            stage
                .graph()
                .reopen(
                    List.of(
                        ReopenChange.of(low.node, low.node.options())
                            .withChild("file", high.node))));
    stage.refused(
        Errno.EINVAL,
        "Making 'low' a file child of 'low' would create a cycle",
        () ->
            stage
                .graph()
                .reopen(
                    List.of(
                        ReopenChange.of(low.node, low.node.options())
                            .withChild("file", low.node))));
    stage.refused(
        Errno.EINVAL,
        "Making 'high' a backing child of 'low' would create a cycle",
        () -> {
          try (DrainedSection drained = low.node.drain("test")) {
            low.node.attachChild(
                "backing",
                Set.of(EdgeRole.COPY_ON_WRITE),
                high.node,
                Permission.NONE,
                Permission.ALL);
          }
        });
    // The other way round is no cycle once both have changed.
    stage
        .graph()
        .reopen(
            List.of(
                ReopenChange.of(low.node, low.node.options()).withChild("file", disk.node),
                ReopenChange.of(high.node, high.node.options()).withChild("file", disk.node)));
    stage
        .graph()
        .reopen(
            List.of(ReopenChange.of(low.node, low.node.options()).withChild("file", high.node)));
    stage.require(low.file.child() == high.node, "G1", "not turned round");
  }

  private static void filterPermissions(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.anyLoop());
    BlockBackend backend =
        stage.backend("user", disk.node.context(), Permission.ALL, Permission.DEFAULT_SHARED);
    backend.insert(disk.node);
    Coroutine user =
        stage.spawn(
            stage.anyLoop(),
            "user",
            () -> {
              for (int i = 0; i < 10; i++) {
                stage.write(backend, 0, i);
                stage.expect(backend, 0, i);
              }
            });
    String before = permissions(disk.node);
    for (int i = 0; i < 3; i++) {
      StagedFilter filter = stage.filter("filter", disk.node);
      stage.graph().replace(disk.node, filter.node);
      stage.require(
          filter.file.permissions() == Permission.ALL
              && filter.file.shared() == Permission.DEFAULT_SHARED,
          "I15",
          "the filter does not use what is used of it");
      stage.graph().replace(filter.node, disk.node);
      stage.release(filter.node);
    }
    user.join();
    stage.require(permissions(disk.node).equals(before), "I15", "permissions have changed");
  }

  private static String permissions(BlockNode node) {
    StringBuilder text = new StringBuilder();
    for (Edge edge : node.parents()) {
      text.append(edge.permissions()).append('/').append(edge.shared()).append(' ');
    }
    return text.toString();
  }

  private static void diamond(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter left = stage.filter("left", disk.node);
    StagedFilter right = stage.filter("right", disk.node);
    StagedFilter top = stage.filter("top", left.node);
    try (DrainedSection drained = top.node.drain("test")) {
      top.node.attachChild(
          "file2", Set.of(EdgeRole.FILTERED), right.node, Permission.NONE, Permission.ALL);
    }
    BlockBackend backend = stage.backend("user", top.node);
    for (StagedFilter side : List.of(left, right)) {
      stage.require(side.file.permissions() == Permission.ALL, "I15", "one side was left out");
    }
    stage.refused(
        Errno.EPERM,
        "Permission conflict on node 'disk'",
        () -> backend.setPermissions(Permission.ALL, Permission.CONSISTENT_READ));
    backend.setPermissions(Permission.CONSISTENT_READ, Permission.CONSISTENT_READ);
    for (StagedFilter side : List.of(left, right)) {
      stage.require(
          side.file.permissions() == Permission.CONSISTENT_READ
              && side.file.shared() == Permission.CONSISTENT_READ,
          "I15",
          "one side was left out");
    }
    // A writer beside them is refused at the bottom, through both sides.
    BlockBackend writer = stage.backend("writer", stage.io1(), Permission.WRITE, Permission.ALL);
    stage.refused(Errno.EPERM, "Permission conflict", () -> writer.insert(disk.node));
  }

  private static void joinsInUse(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedDisk other = stage.disk("other", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend backend = stage.backend("user", filter.node);
    Edge joined;
    try (DrainedSection drained = filter.node.drain("test")) {
      joined =
          filter.node.attachChild(
              "second", Set.of(EdgeRole.FILTERED), other.node, Permission.NONE, Permission.ALL);
    }
    stage.require(joined.permissions() == Permission.ALL, "I15", "nothing may be done with it");
    BlockBackend jealous =
        stage.backend("jealous", stage.io1(), Permission.NONE, Permission.ALL & ~Permission.WRITE);
    stage.refused(Errno.EPERM, "Permission conflict", () -> jealous.insert(other.node));
    stage.write(backend, 0, 1);
    try (DrainedSection drained = filter.node.drain("test")) {
      filter.node.detachChild(joined);
    }
    jealous.insert(other.node);
    stage.refused(
        Errno.EPERM,
        "Permission conflict",
        () -> {
          try (DrainedSection drained = filter.node.drain("test")) {
            filter.node.attachChild(
                "second", Set.of(EdgeRole.FILTERED), other.node, Permission.NONE, Permission.ALL);
          }
        });
  }

  private static void disabled(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    disk.hold();
    Coroutine user =
        stage.spawn(
            stage.io2(),
            "user",
            () -> {
              Stage.errorOf(() -> stage.write(backend, 0, 1));
              IoVector buffer = IoVector.of(stage.memory(512));
              for (Stage.Attempt attempt :
                  List.<Stage.Attempt>of(
                      () -> backend.read(0, buffer, 0),
                      () -> backend.write(0, buffer, 0),
                      () -> backend.writeZeroes(0, 512, 0),
                      () -> backend.discard(0, 512),
                      backend::flush,
                      () -> backend.status(0, 512, true),
                      () -> backend.copyRange(0, backend, 512, 512, 0, 0),
                      backend::lengthBytes)) {
                stage.require(
                    Stage.errorOf(attempt) == Errno.ENOMEDIUM, "G6", "not without a medium");
              }
            });
    stage.until(() -> disk.underWay() == 1);
    disk.node.disable();
    disk.letGo();
    user.join();
    backend.close();
    stage.release(disk.node);
    stage.require(disk.closed, "G6", "the driver was not closed");
  }

  private static void closing(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    disk.hold();
    for (int i = 0; i < 3; i++) {
      int offset = i * 512;
      stage.spawn(
          stage.anyLoop(), "user" + i, () -> Stage.errorOf(() -> stage.write(backend, offset, 1)));
    }
    stage.until(() -> disk.underWay() > 0);
    stage.release(disk.node);
    boolean[] closed = new boolean[1];
    Coroutine closer =
        stage.spawn(
            stage.main(),
            "closer",
            () -> {
              backend.close();
              closed[0] = true;
            });
    stage.pause();
    stage.require(!closed[0] && !disk.closed, "I8", "closed with requests under way");
    disk.letGo();
    closer.join();
    stage.require(disk.closed, "I8", "never closed");
  }

  private static void inactive(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    stage.write(backend, 0, 1);
    disk.node.inactivate();
    stage.require(disk.flushes == 1, "G7", "not flushed before it was given away");
    IoVector buffer = IoVector.of(stage.memory(512));
    for (Stage.Attempt attempt :
        List.<Stage.Attempt>of(
            () -> backend.write(0, buffer, 0),
            () -> backend.writeZeroes(0, 512, 0),
            () -> backend.discard(0, 512),
            () -> backend.copyRange(0, backend, 512, 512, 0, 0))) {
      stage.require(Stage.errorOf(attempt) == Errno.EPERM, "G7", "written while inactive");
    }
    stage.expect(backend, 0, 1);
    disk.node.activate();
    stage.write(backend, 0, 2);
  }

  private static void dropped(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    stage.write(backend, 0, 1);
    backend.setPermissions(Permission.CONSISTENT_READ, Permission.ALL);
    try {
      stage.write(backend, 0, 2);
      stage.require(false, "S32", "written without permission");
    } catch (IllegalStateException expected) {
      stage.require(
          String.valueOf(expected.getMessage()).contains("lacks permission write"),
          "S32",
          "another failure: " + expected);
    }
    stage.require(backend.inFlightCount() == 0, "I6", "the failed write is still in flight");
    stage.expect(backend, 0, 1);
  }

  private static void exclusive(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend[] users = new BlockBackend[3];
    int[] granted = new int[1];
    Coroutine[] asking = new Coroutine[users.length];
    for (int i = 0; i < users.length; i++) {
      BlockBackend each =
          stage.backend(
              "user" + i, stage.io1(), Permission.WRITE, Permission.ALL & ~Permission.WRITE);
      users[i] = each;
      asking[i] =
          stage.spawn(
              stage.main(),
              "asks" + i,
              () -> {
                Errno error = Stage.errorOf(() -> each.insert(disk.node));
                stage.require(error == null || error == Errno.EPERM, "I15", "another error");
                granted[0] += error == null ? 1 : 0;
              });
    }
    for (Coroutine each : asking) {
      each.join();
    }
    stage.require(granted[0] == 1, "I15", granted[0] + " have exclusive access");
  }

  private static void greedy(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend reader =
        stage.backend(
            "reader", stage.io1(), Permission.CONSISTENT_READ, Permission.CONSISTENT_READ);
    reader.insert(disk.node);
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend writer = stage.backend("writer", stage.io1(), Permission.ALL, Permission.ALL);
    stage.refused(Errno.EPERM, "Permission conflict", () -> writer.insert(filter.node));
    disk.refusePermissions = true;
    stage.refused(
        Errno.EAGAIN,
        "Failed to get",
        () -> reader.setPermissions(Permission.NONE, Permission.ALL));
    disk.refusePermissions = false;
    StagedDisk fixed = stage.disk("fixed", stage.io1(), NodeOptions.READ_ONLY);
    stage.refused(Errno.EPERM, "Block node is read-only", () -> writer.insert(fixed.node));
  }

  private static void lastReference(Stage stage) throws Exception {
    StagedDisk first = stage.disk("first", stage.io1());
    StagedDisk second = stage.disk("second", stage.io1());
    StagedFilter filter = stage.filter("filter", first.node);
    BlockBackend backend = stage.backend("user", filter.node);
    stage.release(first.node); // the filter holds the last reference
    boolean[] open = {true};
    filter.onReopen = () -> open[0] = !first.closed;
    Coroutine user =
        stage.spawn(
            stage.io2(),
            "user",
            () -> {
              for (int i = 0; i < 6; i++) {
                stage.write(backend, 0, i);
              }
            });
    stage
        .graph()
        .reopen(
            List.of(
                ReopenChange.of(filter.node, filter.node.options())
                    .withChild("file", second.node)));
    stage.require(open[0] && first.closed, "S33", "not closed after the change");
    user.join();
  }
}

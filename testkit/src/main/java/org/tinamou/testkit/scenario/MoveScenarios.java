package org.tinamou.testkit.scenario;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.Permission;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleLimit;

/** Nodes that go to other loops, throttled or not. */
final class MoveScenarios {
  private MoveScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario("G8", "a child joins a parent in another loop", MoveScenarios::attach),
        new Scenario("G8", "a diamond goes as a whole", MoveScenarios::diamond),
        new Scenario(
            "G10", "a second user keeps a throttled disk where it is", MoveScenarios::refused),
        new Scenario("S24", "a drain lets throttled requests go", MoveScenarios::throttledDrain),
        new Scenario(
            "S24", "a throttled disk goes away with its requests", MoveScenarios::throttledClose),
        new Scenario("S26", "a throttled disk goes to another loop", MoveScenarios::throttledMove),
        new Scenario(
            "S26", "whoever refuses leaves everything in place", MoveScenarios::userRefuses));
  }

  private static void attach(Stage stage) throws Exception {
    StagedDisk parent = stage.disk("parent", stage.io1());
    StagedDisk child = stage.disk("child", stage.io2());
    boolean parentBound = stage.random().nextBoolean();
    BlockBackend bound =
        stage.backend(
            "bound", parentBound ? stage.io1() : stage.io2(), Permission.ALL, Permission.ALL);
    bound.setFollowsNode(false);
    bound.insert(parentBound ? parent.node : child.node);
    try (DrainedSection drained = parent.node.drain("test")) {
      parent.node.attachChild(
          "backing", Set.of(EdgeRole.COPY_ON_WRITE), child.node, Permission.NONE, Permission.ALL);
    }
    stage.require(
        parent.node.context() == bound.context() && child.node.context() == bound.context(),
        "I5",
        stage.toString());
    StagedDisk far = stage.disk("far", parentBound ? stage.io2() : stage.io1());
    BlockBackend other =
        stage.backend(
            "other", parentBound ? stage.io2() : stage.io1(), Permission.ALL, Permission.ALL);
    other.setFollowsNode(false);
    other.insert(far.node);
    stage.refused(
        Errno.EBUSY,
        "Cannot change iothread of active block backend",
        () -> {
          try (DrainedSection drained = parent.node.drain("test")) {
            parent.node.attachChild(
                "other", Set.of(EdgeRole.DATA), far.node, Permission.NONE, Permission.ALL);
          }
        });
  }

  private static void diamond(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter left = stage.filter("left", disk.node);
    StagedFilter right = stage.filter("right", disk.node);
    BlockBackend backend = stage.backend("user", left.node);
    BlockBackend other = stage.backend("other", right.node);
    Coroutine user = stage.spawn(stage.io1(), "user", () -> write(stage, backend, 0));
    Coroutine second = stage.spawn(stage.io2(), "second", () -> write(stage, other, 512));
    stage.graph().moveToContext(right.node, stage.io2());
    for (BlockBackend each : List.of(backend, other)) {
      stage.require(each.context() == stage.io2(), "I5", each + " stayed");
    }
    stage.require(
        left.node.context() == stage.io2() && disk.node.context() == stage.io2(), "I5", "stayed");
    user.join();
    second.join();
    backend.close();
    other.close();
    stage.release(left.node);
    stage.release(right.node);
    stage.require(disk.node.context() == stage.main(), "I5", "the disk did not go home");
  }

  private static void write(Stage stage, BlockBackend backend, int offset) throws Exception {
    for (int i = 1; i <= 6; i++) {
      stage.write(backend, offset, i);
      stage.expect(backend, offset, i);
    }
  }

  private static ThrottleGroup slow(Stage stage) {
    return new ThrottleGroup(
        "slow",
        stage.simulation().clocks(),
        ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(5)));
  }

  /** Requests enough that some are throttled by now. */
  private static List<Coroutine> load(Stage stage, BlockBackend backend, StagedFilter filter) {
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      int offset = i * 512;
      users.add(stage.spawn(stage.anyLoop(), "user" + i, () -> stage.write(backend, offset, 1)));
    }
    stage.until(() -> filter.throttled() > 0);
    return users;
  }

  private static void refused(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    filter.throttleBy(slow(stage));
    BlockBackend backend = stage.backend("user", filter.node);
    BlockBackend second = stage.backend("second", stage.io1(), Permission.ALL, Permission.ALL);
    second.setFollowsNode(false);
    second.insert(disk.node);
    List<Coroutine> users = load(stage, backend, filter);
    stage.refused(
        Errno.EBUSY,
        "Cannot change iothread of active block backend",
        () -> stage.graph().moveToContext(filter.node, stage.io2()));
    stage.require(filter.throttled() > 0, "I16", "a refused move let requests go");
    for (Coroutine user : users) {
      user.join();
    }
  }

  private static void throttledDrain(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    filter.throttleBy(slow(stage));
    BlockBackend backend = stage.backend("user", filter.node);
    List<Coroutine> users = load(stage, backend, filter);
    long before = stage.simulation().nowNanos();
    try (DrainedSection drained = disk.node.drain("test")) {
      stage.require(filter.throttled() == 0, "S24", "throttled requests were left");
      stage.require(disk.underWay() == 0, "I6", "requests under way");
      stage.require(
          stage.simulation().nowNanos() - before < 100_000_000, "S24", "waited for the limit");
    }
    for (Coroutine user : users) {
      user.join();
    }
    stage.write(backend, 0, 2);
  }

  private static void throttledClose(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    filter.throttleBy(slow(stage));
    BlockBackend backend = stage.backend("user", filter.node);
    List<Coroutine> users = load(stage, backend, filter);
    stage.graph().replace(filter.node, disk.node);
    stage.release(filter.node);
    stage.require(filter.node.isClosed(), "I8", "the filter is still there");
    for (Coroutine user : users) {
      user.join();
    }
    stage.require(disk.arrived == 6, "I9", disk.arrived + " requests came through");
  }

  private static void throttledMove(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    filter.throttleBy(slow(stage));
    BlockBackend backend = stage.backend("user", filter.node);
    List<Coroutine> users = load(stage, backend, filter);
    backend.moveToContext(stage.io2());
    stage.require(filter.node.context() == stage.io2(), "I5", "the filter stayed");
    for (int i = 0; i < 8; i++) {
      int offset = i * 512;
      users.add(stage.spawn(stage.io2(), "late" + i, () -> stage.write(backend, offset, 2)));
    }
    stage.until(() -> filter.throttled() > 0);
    backend.moveToContext(stage.io1());
    for (Coroutine user : users) {
      user.join();
    }
  }

  private static void userRefuses(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend backend = stage.backend("user", filter.node);
    backend.setFollowsNode(false);
    Coroutine user = stage.spawn(stage.io1(), "user", () -> write(stage, backend, 0));
    stage.refused(
        Errno.EBUSY,
        "Cannot change iothread of active block backend",
        () -> stage.graph().moveToContext(disk.node, stage.io2()));
    backend.moveToContext(stage.io2());
    stage.require(disk.node.context() == stage.io2(), "I5", "the user could not take it along");
    user.join();
  }
}

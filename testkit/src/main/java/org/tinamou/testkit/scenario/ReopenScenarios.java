package org.tinamou.testkit.scenario;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DetectZeroes;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.ReopenChange;

/** Options and children that change together or not at all. */
final class ReopenScenarios {
  private ReopenScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario(
            "G3", "requests follow a child that reopening replaced", ReopenScenarios::alias),
        new Scenario(
            "G3", "reopening leaves the options of others alone", ReopenScenarios::options),
        new Scenario(
            "S31", "two reopen the same chain at once, beside flushes", ReopenScenarios::twoAtOnce),
        new Scenario(
            "S31", "the last of three refuses: nothing has changed", ReopenScenarios::allOrNothing),
        new Scenario(
            "S31", "a child in another loop comes along, or nothing does", ReopenScenarios::loops),
        new Scenario(
            "S31 S28",
            "two reopen a node and take its new child along, while others move both",
            ReopenScenarios::loopsAtOnce),
        new Scenario(
            "S31", "a node becomes read-only and writable again", ReopenScenarios::readOnly));
  }

  private static ReopenChange same(StagedFilter filter) {
    return ReopenChange.of(filter.node, filter.node.options());
  }

  private static void alias(Stage stage) throws Exception {
    StagedDisk first = stage.disk("first", stage.io1());
    StagedDisk second = stage.disk("second", stage.io1());
    StagedFilter filter = stage.filter("filter", first.node);
    BlockBackend backend = stage.backend("user", filter.node);
    Coroutine user =
        stage.spawn(
            stage.io2(),
            "user",
            () -> {
              for (int i = 0; i < 10; i++) {
                stage.write(backend, 512L * i, i + 1);
              }
            });
    stage.graph().reopen(List.of(same(filter).withChild("file", second.node)));
    int before = first.arrived;
    user.join();
    stage.require(first.arrived == before, "G3", "a request went to the old child");
    for (int i = 0; i < 10; i++) {
      boolean inFirst = first.at(512 * i) == i + 1;
      boolean inSecond = second.at(512 * i) == i + 1;
      stage.require(inFirst != inSecond, "I10", "write " + i + " is nowhere or in both");
    }
    stage.require(
        first.node.parents().isEmpty() && second.node.parents().size() == 1, "I15", "edges");
  }

  private static void options(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend backend = stage.backend("user", filter.node);
    NodeOptions before = disk.node.options();
    NodeOptions zeroes =
        filter.node.options().withDetectZeroes(DetectZeroes.UNMAP).withCacheNoFlush(true);
    stage.graph().reopen(List.of(ReopenChange.of(filter.node, zeroes)));
    stage.require(filter.node.options().equals(zeroes), "G3", "options are not there");
    stage.require(disk.node.options().equals(before), "G3", "options of another node changed");
    stage.write(backend, 0, 1);
    backend.flush();
    stage.require(disk.flushes == 1, "G3", "the child was not flushed");
    stage.graph().reopen(List.of(ReopenChange.of(disk.node, before.withDiscardUnmap(false))));
    backend.discard(0, 512);
    stage.expect(backend, 0, 1);
    stage.refused(
        Errno.EINVAL,
        "Cannot change the option 'force-share'",
        () ->
            stage
                .graph()
                .reopen(
                    List.of(
                        ReopenChange.of(disk.node, NodeOptions.READ_ONLY.withForceShare(true)))));
    stage.refused(
        Errno.EINVAL,
        "setting detect-zeroes to unmap",
        () ->
            stage
                .graph()
                .reopen(
                    List.of(
                        ReopenChange.of(
                            disk.node,
                            NodeOptions.READ_WRITE.withDetectZeroes(DetectZeroes.UNMAP)))));
  }

  private static void twoAtOnce(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter low = stage.filter("low", disk.node);
    StagedFilter high = stage.filter("high", low.node);
    BlockBackend backend = stage.backend("user", high.node);
    Coroutine user =
        stage.spawn(
            stage.io2(),
            "user",
            () -> {
              for (int i = 0; i < 10; i++) {
                stage.write(backend, 0, i);
                backend.flush();
                stage.expect(backend, 0, i);
              }
            });
    Coroutine[] jobs = new Coroutine[2];
    for (int i = 0; i < 2; i++) {
      NodeOptions options =
          NodeOptions.READ_WRITE.withDetectZeroes(i == 0 ? DetectZeroes.ON : DetectZeroes.OFF);
      jobs[i] =
          stage.spawn(
              stage.main(),
              "job" + i,
              () -> {
                for (int round = 0; round < 3; round++) {
                  stage
                      .graph()
                      .reopen(
                          List.of(
                              ReopenChange.of(high.node, options),
                              ReopenChange.of(low.node, options),
                              ReopenChange.of(disk.node, options)));
                  stage.require(
                      high.node.options().equals(disk.node.options()),
                      "I16",
                      "one job's options here, the other's there");
                }
              });
    }
    jobs[0].join();
    jobs[1].join();
    user.join();
  }

  private static void allOrNothing(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedDisk other = stage.disk("other", stage.io1());
    StagedFilter low = stage.filter("low", disk.node);
    StagedFilter high = stage.filter("high", low.node);
    BlockBackend backend = stage.backend("user", high.node);
    NodeOptions zeroes = NodeOptions.READ_WRITE.withDetectZeroes(DetectZeroes.ON);
    Coroutine user =
        stage.spawn(
            stage.io2(),
            "user",
            () -> {
              for (int i = 0; i < 10; i++) {
                stage.write(backend, 0, i);
                stage.expect(backend, 0, i);
              }
            });
    Stage.Attempt attempt =
        () ->
            stage
                .graph()
                .reopen(
                    List.of(
                        ReopenChange.of(high.node, zeroes).withChild("file", disk.node),
                        ReopenChange.of(low.node, zeroes).withChild("file", other.node),
                        ReopenChange.of(other.node, zeroes)));
    other.refuseReopen = true;
    stage.refused(Errno.EACCES, "directed", attempt);
    other.refuseReopen = false;
    other.refusePermissions = true;
    stage.refused(Errno.EAGAIN, "Failed to get", attempt);
    other.refusePermissions = false;
    BlockBackend jealous =
        stage.backend("jealous", stage.io1(), Permission.NONE, Permission.ALL & ~Permission.WRITE);
    jealous.insert(other.node);
    stage.refused(
        Errno.EPERM,
        "Permission conflict on node 'other'",
        () ->
            stage
                .graph()
                .reopen(
                    List.of(
                        ReopenChange.of(disk.node, zeroes),
                        ReopenChange.of(low.node, zeroes).withChild("file", other.node))));
    user.join();
    jealous.close();
    attempt.run();
    stage.require(high.file.child() == disk.node, "I16", "the accepted change is not there");
  }

  private static void loops(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedDisk far = stage.disk("far", stage.io2());
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend backend = stage.backend("user", filter.node);
    BlockBackend bound = stage.backend("bound", stage.io2(), Permission.ALL, Permission.ALL);
    bound.setFollowsNode(false);
    bound.insert(far.node);
    backend.setFollowsNode(false);
    stage.refused(
        Errno.EBUSY,
        "Cannot change iothread of active block backend",
        () -> stage.graph().reopen(List.of(same(filter).withChild("file", far.node))));
    if (stage.random().nextBoolean()) {
      backend.setFollowsNode(true);
    } else {
      bound.setFollowsNode(true);
    }
    Coroutine user =
        stage.spawn(stage.io1(), "user", () -> Stage.errorOf(() -> stage.write(backend, 0, 1)));
    stage.graph().reopen(List.of(same(filter).withChild("file", far.node)));
    user.join();
    stage.require(
        far.node.context() == filter.node.context()
            && backend.context() == filter.node.context()
            && bound.context() == far.node.context(),
        "I5",
        stage.toString());
    stage.write(backend, 0, 2);
    stage.expect(bound, 0, 2);
  }

  /** Of two moves at once, one of them by a reopen, the second waits for what the first queued. */
  private static void loopsAtOnce(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedDisk far = stage.disk("far", stage.io2());
    disk.worksOnArrival = true;
    far.worksOnArrival = true;
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend backend = stage.backend("user", filter.node);
    Coroutine user = stage.spawn(stage.io1(), "user", () -> write(stage, backend));
    boolean[] done = new boolean[1];
    List<Coroutine> movers = new ArrayList<>();
    for (StagedDisk each : List.of(disk, far)) {
      movers.add(
          stage.spawn(
              stage.main(),
              "mover",
              () -> {
                while (!done[0]) {
                  stage.graph().moveToContext(each.node, stage.anyLoop());
                }
              }));
    }
    for (int i = 0; i < 6; i++) {
      BlockNode next = i % 2 == 0 ? far.node : disk.node;
      stage.graph().reopen(List.of(same(filter).withChild("file", next)));
      // Another's move goes on, which takes one node after the other along.
      boolean between = stage.graph().isChanging();
      stage.require(between || next.context() == filter.node.context(), "I5", stage.toString());
    }
    done[0] = true;
    user.join();
    movers.forEach(Coroutine::join);
    stage.write(backend, 0, 9);
  }

  private static void write(Stage stage, BlockBackend backend) throws Exception {
    for (int i = 0; i < 6; i++) {
      stage.write(backend, 512L * i, i + 1);
    }
  }

  private static void readOnly(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    stage.write(backend, 0, 1);
    NodeOptions readOnly = disk.node.options().withReadOnly(true);
    stage.refused(
        Errno.EPERM,
        "Read-only block node 'disk' cannot support read-write users",
        () -> stage.graph().reopen(List.of(ReopenChange.of(disk.node, readOnly))));
    backend.setPermissions(Permission.CONSISTENT_READ, Permission.ALL);
    stage.write(stage.backend("writer", disk.node), 512, 1);
    stage.graph().backends().getLast().close();
    int flushes = disk.flushes;
    stage.graph().reopen(List.of(ReopenChange.of(disk.node, readOnly)));
    stage.require(disk.flushes > flushes, "I11", "not flushed before it became read-only");
    stage.refused(
        Errno.EPERM,
        "Block node is read-only",
        () -> backend.setPermissions(Permission.ALL, Permission.ALL));
    stage.graph().reopen(List.of(ReopenChange.of(disk.node, readOnly.withReadOnly(false))));
    backend.setPermissions(Permission.ALL, Permission.ALL);
    stage.write(backend, 0, 2);
  }
}

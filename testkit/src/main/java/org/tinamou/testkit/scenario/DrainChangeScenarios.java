package org.tinamou.testkit.scenario;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.tinamou.aio.Coroutine;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;

/** Drained sections in which the graph changes. */
final class DrainChangeScenarios {
  private DrainChangeScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario(
            "D4 S13", "a node goes inside its own drained section", DrainChangeScenarios::closed),
        new Scenario(
            "D4", "nodes go and come inside a section over all", DrainChangeScenarios::closedInAll),
        new Scenario(
            "D5 S14",
            "whoever's request ends during a drain changes the graph",
            DrainChangeScenarios::changedByUser),
        new Scenario(
            "S14",
            "a driver's callback has the graph changed during a drain",
            DrainChangeScenarios::changedByDriver),
        new Scenario(
            "D6 S18", "users and filters join a drained node", DrainChangeScenarios::joined),
        new Scenario("D7", "a drained node goes to another loop", DrainChangeScenarios::moved),
        new Scenario(
            "D9", "nodes stay drained as long as a change waits", DrainChangeScenarios::changing),
        new Scenario(
            "D10 S17",
            "a child is replaced, drained or not, old or new",
            DrainChangeScenarios::replaced),
        new Scenario(
            "D11",
            "parents come and go while a change goes through them",
            DrainChangeScenarios::parents),
        new Scenario(
            "G2 S30",
            "filters come and go under constant load",
            DrainChangeScenarios::constantLoad),
        new Scenario("D13", "a filter goes while its drain waits", DrainChangeScenarios::rootGone),
        new Scenario(
            "S16",
            "filters in the middle go one after the other under load",
            DrainChangeScenarios::intermediate),
        new Scenario(
            "S18",
            "nodes are opened and drained while all are drained",
            DrainChangeScenarios::nested));
  }

  private static void closed(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.anyLoop());
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend backend = stage.backend("user", filter.node);
    Coroutine user =
        stage.spawn(stage.io2(), "user", () -> Stage.errorOf(() -> stage.write(backend, 0, 1)));
    DrainedSection drained = filter.node.drain("test");
    backend.close();
    stage.release(filter.node);
    stage.require(filter.node.isClosed(), "I8", "the filter is still there");
    drained.close();
    user.join();
    stage.require(disk.node.quiesceCount() == 0, "I7", "the disk stays drained");
    BlockBackend later = stage.backend("later", disk.node);
    stage.write(later, 0, 2);
  }

  private static void closedInAll(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.anyLoop());
    StagedDisk goes = stage.disk("goes", stage.anyLoop());
    BlockBackend backend = stage.backend("user", disk.node);
    Coroutine user;
    try (DrainedSection drained = stage.graph().drainAll("all")) {
      stage.release(goes.node);
      StagedDisk comes = stage.disk("comes", stage.anyLoop());
      stage.require(comes.node.isQuiesced(), "I7", "a node that came is not drained");
      comes.untouchable = true;
      BlockBackend other = stage.backend("other", comes.node);
      user = stage.spawn(stage.io1(), "user", () -> stage.write(other, 0, 1));
      stage.pause();
      stage.require(!user.isEnded(), "I6", "wrote to a drained node");
      comes.untouchable = false;
    }
    user.join();
    for (BlockNode node : stage.graph().nodes()) {
      stage.require(node.quiesceCount() == 0, "I7", node + " stays drained");
    }
    stage.write(backend, 0, 1);
  }

  private static void changedByUser(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    BlockBackend other = stage.backend("other", disk.node);
    disk.hold();
    Coroutine user =
        stage.spawn(
            stage.main(),
            "user",
            () -> {
              stage.write(backend, 0, 1);
              switch (stage.random().nextInt(3)) {
                case 0 -> other.close();
                case 1 -> backend.eject();
                default -> stage.graph().replace(disk.node, stage.filter("filter", disk.node).node);
              }
            });
    stage.until(() -> disk.underWay() == 1);
    Coroutine letGo =
        stage.spawn(
            stage.io1(),
            "let go",
            () -> {
              stage.pause();
              disk.letGo();
            });
    try (DrainedSection drained = disk.node.drain("test")) {
      stage.require(disk.underWay() == 0, "I6", "a request is under way");
      disk.untouchable = true;
      stage.pause();
      disk.untouchable = false;
    }
    user.join();
    letGo.join();
    stage.require(disk.node.quiesceCount() == 0, "I7", "drained for ever");
  }

  private static void changedByDriver(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    List<Coroutine> changes = new ArrayList<>();
    disk.onRequest =
        () -> {
          disk.onRequest = null;
          changes.add(
              stage.spawn(
                  stage.main(),
                  "change",
                  () -> stage.graph().replace(disk.node, stage.filter("f", disk.node).node)));
        };
    Coroutine user = stage.spawn(stage.io2(), "user", () -> stage.write(backend, 0, 1));
    try (DrainedSection drained = disk.node.drain("test")) {
      disk.untouchable = true;
      stage.pause();
      disk.untouchable = false;
    }
    user.join();
    changes.getFirst().join();
    stage.expect(backend, 0, 1);
  }

  private static void joined(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend early = stage.backend("early", disk.node);
    List<Coroutine> users = new ArrayList<>();
    try (DrainedSection outer = disk.node.drain("outer");
        DrainedSection inner = disk.node.drain("inner")) {
      disk.untouchable = true;
      StagedFilter filter = stage.filter("filter", disk.node);
      stage.require(filter.node.quiesceCount() == 1, "I7", "the filter joined undrained");
      BlockBackend late = stage.backend("late", filter.node);
      stage.require(late.isQuiesced(), "I7", "the user joined undrained");
      stage.graph().replace(disk.node, filter.node);
      for (BlockBackend each : List.of(early, late)) {
        users.add(stage.spawn(stage.anyLoop(), "user", () -> stage.write(each, 0, 3)));
      }
      BlockBackend brief = stage.backend("brief", filter.node);
      brief.close();
      stage.pause();
      disk.untouchable = false;
    }
    for (Coroutine user : users) {
      user.join();
    }
    stage.expect(early, 0, 3);
  }

  private static void moved(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend backend = stage.backend("user", filter.node);
    Coroutine user = stage.spawn(stage.io1(), "user", () -> write(stage, backend));
    try (DrainedSection drained = disk.node.drain("test")) {
      stage.graph().moveToContext(filter.node, stage.io2());
      stage.require(disk.node.context() == stage.io2(), "I5", "the disk stayed");
      stage.require(backend.context() == stage.io2(), "I5", "the user stayed");
      stage.require(disk.node.isQuiesced() && backend.isQuiesced(), "I7", "released by the move");
      disk.untouchable = true;
      stage.pause();
      disk.untouchable = false;
    }
    user.join();
  }

  private static void write(Stage stage, BlockBackend backend) throws Exception {
    for (int i = 0; i < 5; i++) {
      stage.write(backend, 0, i);
      stage.expect(backend, 0, i);
    }
  }

  private static void changing(Stage stage) throws Exception {
    StagedDisk from = stage.disk("from", stage.io1());
    StagedDisk to = stage.disk("to", stage.io1());
    BlockBackend backend = stage.backend("user", from.node);
    Coroutine user = stage.spawn(stage.io2(), "user", () -> write(stage, backend));
    Runnable check =
        () -> {
          stage.require(from.isQuiesced() && to.isQuiesced(), "I6", "released during the change");
          stage.require(backend.isQuiesced(), "I6", "the user is released during the change");
        };
    Coroutine drainer =
        stage.spawn(stage.main(), "drainer", () -> from.node.drain("beside").close());
    from.onPreparePermissions = check;
    to.onPreparePermissions = check;
    stage.graph().replace(from.node, to.node);
    from.onPreparePermissions = null;
    to.onPreparePermissions = null;
    user.join();
    drainer.join();
  }

  private static void replaced(Stage stage) throws Exception {
    for (int combination = 0; combination < 4; combination++) {
      boolean oldDrained = (combination & 1) != 0;
      boolean newDrained = (combination & 2) != 0;
      StagedDisk from = stage.disk("from" + combination, stage.io1());
      StagedDisk to = stage.disk("to" + combination, stage.io1());
      BlockBackend backend = stage.backend("user" + combination, from.node);
      boolean[] stop = new boolean[1];
      Coroutine user =
          stage.spawn(
              stage.io1(),
              "user",
              () -> {
                while (!stop[0]) {
                  stage.write(backend, 0, 1);
                  Coroutine.yieldNow();
                }
              });
      DrainedSection oldSection = oldDrained ? from.node.drain("old") : null;
      DrainedSection newSection = newDrained ? to.node.drain("new") : null;
      from.untouchable = oldDrained;
      to.untouchable = newDrained;
      stage.graph().replace(from.node, to.node);
      stage.require(backend.isQuiesced() == newDrained, "I7", "quiesced by the wrong child");
      stage.pause();
      from.untouchable = false;
      if (oldSection != null) {
        oldSection.close();
      }
      stage.require(backend.isQuiesced() == newDrained, "I7", "released by the old child");
      stage.pause();
      to.untouchable = false;
      if (newSection != null) {
        newSection.close();
      }
      stage.require(!backend.isQuiesced(), "I7", "never released");
      int before = from.arrived;
      int seen = to.arrived;
      stage.until(() -> to.arrived > seen);
      stage.require(from.arrived == before, "I8", "requests still reach the old child");
      stop[0] = true;
      user.join();
    }
  }

  private static void parents(Stage stage) throws Exception {
    StagedDisk from = stage.disk("from", stage.io1());
    StagedDisk to = stage.disk("to", stage.io1());
    BlockBackend first = stage.backend("first", from.node);
    BlockBackend second = stage.backend("second", from.node);
    List<Coroutine> others = new ArrayList<>();
    Runnable meanwhile =
        () -> {
          if (others.isEmpty()) {
            others.add(stage.spawn(stage.main(), "goes", second::close));
            others.add(stage.spawn(stage.main(), "comes", () -> stage.backend("third", from.node)));
            others.add(stage.spawn(stage.main(), "filter", () -> stage.filter("f", from.node)));
          }
          stage.pause();
        };
    from.onPreparePermissions = meanwhile;
    to.onPreparePermissions = meanwhile;
    stage.graph().replace(from.node, to.node);
    for (Coroutine other : others) {
      other.join();
    }
    stage.require(first.node() == to.node, "I15", "a parent was left behind");
    stage.require(second.node() == null, "I15", "a parent is still there");
    stage.write(first, 0, 1);
  }

  private static void constantLoad(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    boolean[] stop = new boolean[1];
    int[] rounds = new int[4];
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < rounds.length; i++) {
      int number = i;
      users.add(
          stage.spawn(
              stage.anyLoop(),
              "user" + i,
              () -> {
                while (!stop[0]) {
                  stage.write(backend, number * 512L, ++rounds[number]);
                  stage.expect(backend, number * 512L, rounds[number]);
                }
              }));
    }
    for (int i = 0; i < 6; i++) {
      StagedFilter filter = stage.filter("filter" + i, disk.node);
      stage.graph().replace(disk.node, filter.node);
      int before = IntStream.of(rounds).sum();
      stage.until(() -> IntStream.of(rounds).sum() > before);
      stage.graph().replace(filter.node, disk.node);
      stage.release(filter.node);
    }
    stop[0] = true;
    for (Coroutine user : users) {
      user.join();
    }
  }

  private static void rootGone(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend backend = stage.backend("user", filter.node);
    disk.hold();
    Coroutine user = stage.spawn(stage.io1(), "user", () -> stage.write(backend, 0, 1));
    stage.until(() -> disk.underWay() == 1);
    Coroutine drainer =
        stage.spawn(stage.main(), "drainer", () -> filter.node.drain("root").close());
    Coroutine remover =
        stage.spawn(
            stage.main(),
            "remover",
            () -> {
              stage.graph().replace(filter.node, disk.node);
              stage.release(filter.node);
            });
    stage.pause();
    disk.letGo();
    user.join();
    drainer.join();
    remover.join();
    stage.require(filter.node.isClosed(), "I8", "the filter is still there");
    stage.expect(backend, 0, 1);
  }

  private static void intermediate(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    List<BlockNode> chain = new ArrayList<>(List.of(disk.node));
    for (int i = 0; i < 3; i++) {
      chain.add(stage.filter("filter" + i, chain.getLast()).node);
    }
    BlockBackend backend = stage.backend("user", chain.getLast());
    Coroutine user = stage.spawn(stage.io2(), "user", () -> write(stage, backend));
    while (chain.size() > 2) {
      BlockNode gone = chain.remove(1 + stage.random().nextInt(chain.size() - 2));
      BlockNode below = gone.children().iterator().next().child();
      stage.graph().replace(gone, below);
      stage.release(gone);
      stage.require(gone.isClosed(), "I8", gone + " is still there");
    }
    user.join();
  }

  private static void nested(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    Coroutine user = stage.spawn(stage.io1(), "user", () -> write(stage, backend));
    DrainedSection all = stage.graph().drainAll("all");
    StagedFilter filter = stage.filter("filter", disk.node);
    DrainedSection one = filter.node.drain("one");
    stage.graph().replace(disk.node, filter.node);
    DrainedSection again = stage.graph().drainAll("all again");
    all.close();
    stage.require(backend.isQuiesced(), "I7", "released by the outer section");
    one.close();
    again.close();
    stage.require(!backend.isQuiesced(), "I7", "never released");
    user.join();
  }
}

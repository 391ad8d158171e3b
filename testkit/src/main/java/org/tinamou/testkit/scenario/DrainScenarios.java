package org.tinamou.testkit.scenario;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;

/** Drained sections beside requests that come, end and fail. */
final class DrainScenarios {
  private DrainScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario(
            "D1", "requests that come while drained wait, and do not count", DrainScenarios::queue),
        new Scenario(
            "D2",
            "a drained section is closed by a callback, without waiting",
            DrainScenarios::end),
        new Scenario(
            "D8",
            "a coroutine elsewhere resizes while the main loop drains",
            DrainScenarios::resize),
        new Scenario("D12", "requests that fail leave nothing in flight", DrainScenarios::failures),
        new Scenario(
            "D14", "one drain right after the other, by two coroutines", DrainScenarios::twice),
        new Scenario(
            "D15",
            "a request that comes while a section ends is not forgotten",
            DrainScenarios::kick),
        new Scenario(
            "S19",
            "a request ends by a callback in a second loop while it is drained for",
            DrainScenarios::secondLoop),
        new Scenario(
            "D16 S29",
            "nothing is drained while the graph is being changed",
            DrainScenarios::locked));
  }

  private static void queue(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    List<Coroutine> users = new ArrayList<>();
    try (DrainedSection outer = disk.node.drain("outer")) {
      disk.untouchable = true;
      for (int i = 0; i < 3; i++) {
        int value = i + 1;
        users.add(
            stage.spawn(
                stage.anyLoop(), "user" + i, () -> stage.write(backend, value * 512L, value)));
      }
      stage.until(() -> backend.waitingRequests().size() == 3);
      stage.require(backend.inFlightCount() == 0, "I6", "waiting requests count as in flight");
      try (DrainedSection inner = disk.node.drain("inner")) {
        stage.require(disk.arrived == 0, "I6", "a request came through");
        stage.require(
            stage.toString().contains("quiesced by outer, inner"), "dump", stage.toString());
      }
      stage.require(disk.arrived == 0 && backend.isQuiesced(), "I7", "released by the inner end");
      disk.untouchable = false;
    }
    for (Coroutine user : users) {
      user.join();
    }
    for (int i = 1; i <= 3; i++) {
      stage.expect(backend, i * 512L, i);
    }
  }

  private static void end(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    boolean[] stop = new boolean[1];
    Coroutine user =
        stage.spawn(
            stage.io2(),
            "user",
            () -> {
              for (int i = 0; !stop[0]; i++) {
                stage.write(backend, 0, i);
                Coroutine.yieldNow();
              }
            });
    for (int i = 0; i < 8; i++) {
      DrainedSection drained = disk.node.drain("round " + i);
      boolean[] ended = new boolean[1];
      stage
          .main()
          .scheduleOnce(
              "end",
              () -> {
                drained.close(); // fails if it had to wait
                stage.require(disk.node.quiesceCount() == 0, "I7", "still drained after its end");
                drained.close();
                ended[0] = true;
              });
      stage.until(() -> ended[0]);
    }
    stop[0] = true;
    user.join();
    stage.require(disk.node.quiesceCount() == 0, "I7", "drained for ever");
  }

  private static void resize(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    long[] told = new long[1];
    backend.onResize(() -> told[0]++);
    Coroutine user =
        stage.spawn(
            stage.io1(),
            "resizer",
            () -> {
              for (int i = 1; i <= 5; i++) {
                backend.truncate(4096L * i, true, PreallocationMode.OFF);
                stage.require(backend.lengthBytes() == 4096L * i, "I10", "wrong size");
              }
            });
    while (!user.isEnded()) {
      try (DrainedSection drained = disk.node.drain("main")) {
        disk.untouchable = true;
        stage.pause();
        disk.untouchable = false;
      }
      Coroutine.yieldNow();
    }
  }

  private static void failures(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedDisk readOnly = stage.disk("fixed", stage.io1(), NodeOptions.READ_ONLY);
    BlockBackend backend = stage.backend("user", disk.node);
    BlockBackend reader =
        stage.backend("reader", stage.io1(), Permission.CONSISTENT_READ, Permission.ALL);
    reader.insert(readOnly.node);
    BlockBackend empty = stage.backend("empty", stage.io1(), Permission.ALL, Permission.ALL);
    IoVector buffer = IoVector.of(stage.memory(512));
    disk.failure = Errno.EIO;
    List<Stage.Attempt> attempts =
        List.of(
            () -> backend.read(0, buffer, 0),
            () -> backend.write(7, buffer, RequestFlags.FORCE_UNIT_ACCESS),
            () -> backend.write(3, buffer, RequestFlags.SERIALISING),
            () -> backend.writeZeroes(0, 4096, 0),
            () -> backend.discard(0, 4096),
            () -> backend.truncate(100, true, PreallocationMode.OFF),
            () -> backend.status(0, 512, true),
            () -> {
              if (!backend.copyRange(0, backend, 4096, 512, 0, 0)) {
                throw BlockException.of(Errno.EBUSY, "somebody is in the way of the copy");
              }
            },
            () -> backend.read(StagedDisk.SIZE_BYTES, buffer, 0),
            () -> backend.write(-1, buffer, 0),
            () -> reader.read(StagedDisk.SIZE_BYTES - 1, buffer, 0),
            () -> empty.read(0, buffer, 0),
            empty::flush);
    List<Coroutine> users = new ArrayList<>();
    for (Stage.Attempt attempt : attempts) {
      users.add(
          stage.spawn(
              stage.anyLoop(),
              "user",
              () -> stage.require(Stage.errorOf(attempt) != null, "I9", "a request did not fail")));
    }
    users.add(stage.spawn(stage.io2(), "flusher", () -> Stage.errorOf(backend::flush)));
    for (Coroutine user : users) {
      user.join();
    }
    stage.require(backend.inFlightCount() == 0, "I6", "in flight: " + backend.inFlightCount());
    stage.require(disk.node.inFlightCount() == 0, "I6", "in flight: " + disk.node.inFlightCount());
    disk.node.drain("afterwards").close();
    disk.failure = null;
    stage.write(backend, 0, 1);
    stage.expect(backend, 0, 1);
  }

  private static void twice(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.anyLoop());
    BlockBackend backend = stage.backend("user", disk.node);
    List<Coroutine> all = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      all.add(
          stage.spawn(
              stage.main(),
              "drainer" + i,
              () -> {
                for (int round = 0; round < 6; round++) {
                  disk.node.drain("first").close();
                  disk.node.drain("second").close();
                }
              }));
      int offset = i * 512;
      all.add(
          stage.spawn(
              stage.anyLoop(),
              "user" + i,
              () -> {
                for (int round = 0; round < 10; round++) {
                  stage.write(backend, offset, round);
                  stage.expect(backend, offset, round);
                }
              }));
    }
    for (Coroutine each : all) {
      each.join();
    }
  }

  private static void kick(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      int number = i;
      users.add(
          stage.spawn(
              i % 2 == 0 ? stage.io1() : stage.io2(),
              "user" + i,
              () -> {
                for (int turns = number * 3; turns > 0; turns--) {
                  Coroutine.yieldNow();
                }
                stage.write(backend, number * 512L, number);
              }));
      if (i % 3 == 0) {
        disk.node.drain("now and then").close();
      }
    }
    for (Coroutine user : users) {
      user.join();
    }
    stage.require(disk.arrived == 10, "I9", disk.arrived + " requests came through");
  }

  private static void secondLoop(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    StagedFilter filter = stage.filter("filter", disk.node);
    BlockBackend backend = stage.backend("user", filter.node);
    AioContext other = stage.io2();
    disk.onRequest =
        () ->
            disk.node
                .work()
                .schedule("there and back", () -> other.scheduleOnce("elsewhere", () -> {}));
    disk.hold();
    Coroutine user = stage.spawn(other, "user", () -> stage.write(backend, 0, 5));
    stage.until(() -> disk.underWay() == 1);
    BlockNode drained = stage.random().nextBoolean() ? disk.node : filter.node;
    boolean[] entered = new boolean[1];
    Coroutine drainer =
        stage.spawn(
            stage.main(),
            "drainer",
            () -> {
              try (DrainedSection section = drained.drain("main")) {
                entered[0] = true;
                stage.require(disk.underWay() == 0, "I6", "a request is under way");
                stage.require(drained.work().queued() == 0, "I6", "callbacks are queued");
              }
            });
    stage.pause();
    stage.require(!entered[0], "I6", "drained with a request under way");
    disk.letGo();
    user.join();
    drainer.join();
  }

  private static void locked(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    int[] refused = new int[1];
    disk.onPreparePermissions =
        () -> {
          try {
            disk.node.drain("in the middle of a change").close();
          } catch (IllegalStateException expected) {
            refused[0]++;
          }
        };
    BlockBackend backend = stage.backend("user", disk.node);
    stage.require(refused[0] > 0, "I2", "drained while the graph was being changed");
    disk.onPreparePermissions = null;
    stage.write(backend, 0, 1);
  }
}

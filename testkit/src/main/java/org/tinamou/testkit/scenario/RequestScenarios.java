package org.tinamou.testkit.scenario;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockStatus;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.IoStatus;
import org.tinamou.block.PreallocationMode;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.stats.BlockStatistics;
import org.tinamou.block.stats.IoKind;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonWriter;

/** What single requests and their errors do. */
final class RequestScenarios {
  private RequestScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario("G9", "zero-length requests, aligned or not", RequestScenarios::zeroLength),
        new Scenario(
            "G9", "serialising requests wait for each other once", RequestScenarios::serialising),
        new Scenario(
            "S21", "requests that fail at once, without a medium", RequestScenarios::noMedium),
        new Scenario("S22", "the medium goes while a flush waits", RequestScenarios::flushAndEject),
        new Scenario(
            "I9", "requests that an error stopped are tried again", RequestScenarios::stopped),
        new Scenario("I9", "error policies and what they account for", RequestScenarios::policies),
        new Scenario(
            "I9",
            "requests count where they end, also in ever more contexts",
            RequestScenarios::byContext),
        new Scenario("I10", "copies of ranges beside writes and drains", RequestScenarios::copies),
        new Scenario("I10", "a status that is remembered is true", RequestScenarios::status),
        new Scenario("I9", "a write threshold fires once", RequestScenarios::threshold));
  }

  private static void zeroLength(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    disk.alignment = 512;
    BlockBackend backend = stage.backend("user", disk.node);
    stage.write(backend, 0, 7);
    int arrived = disk.arrived;
    IoVector none = IoVector.of(stage.memory(0));
    for (long offset : new long[] {0, 1, 511, 512, StagedDisk.SIZE_BYTES}) {
      backend.read(offset, none, 0);
      backend.write(offset, none, 0);
      backend.write(offset, none, RequestFlags.SERIALISING);
      stage.require(backend.writeZeroes(offset, 0, 0), "G9", "zeroes of no length");
      backend.discard(offset, 0);
      stage.require(backend.copyRange(offset, backend, offset, 0, 0, 0), "G9", "empty copy");
    }
    stage.require(disk.arrived == arrived, "G9", "the driver saw a request of no bytes");
    for (long offset : new long[] {-1, StagedDisk.SIZE_BYTES + 1, Long.MAX_VALUE}) {
      stage.require(
          Stage.errorOf(() -> backend.read(offset, none, 0)) == Errno.EIO, "G9", "past the end");
      stage.require(
          Stage.errorOf(() -> backend.discard(offset, 0)) == Errno.EIO, "G9", "past the end");
    }
    IoVector one = IoVector.of(stage.memory(1));
    backend.read(StagedDisk.SIZE_BYTES - 1, one, 0);
    stage.require(
        Stage.errorOf(() -> backend.write(StagedDisk.SIZE_BYTES, one, 0)) == Errno.EIO,
        "G9",
        "past the end");
    stage.expect(backend, 0, 7);
  }

  private static void serialising(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    disk.alignment = 4096;
    BlockBackend backend = stage.backend("user", stage.filter("filter", disk.node).node);
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int offset = i * 512 + 100;
      int value = i + 1;
      int flags = i % 3 == 0 ? RequestFlags.SERIALISING : 0;
      users.add(
          stage.spawn(
              stage.anyLoop(),
              "user" + i,
              () -> {
                for (int round = 0; round < 3; round++) {
                  backend.write(offset, IoVector.of(stage.memory(300).fill((byte) value)), flags);
                }
              }));
    }
    for (Coroutine user : users) {
      user.join();
    }
    for (int i = 0; i < 8; i++) {
      for (int at : new int[] {100, 399}) {
        stage.require(disk.at(i * 512 + at) == i + 1, "I10", "a neighbour's write was lost");
      }
    }
    stage.require(disk.at(99) == 0 && disk.at(400) == 0, "I10", "written beside");
  }

  private static void noMedium(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      users.add(
          stage.spawn(
              stage.anyLoop(),
              "user" + i,
              () -> {
                Errno error = null;
                while (error == null) {
                  error = Stage.errorOf(() -> stage.write(backend, 0, 1));
                  Coroutine.yieldNow();
                }
                stage.require(error == Errno.ENOMEDIUM, "S21", "another error: " + error);
              }));
    }
    stage.pause();
    backend.eject();
    for (Coroutine user : users) {
      user.join();
    }
    stage.require(backend.inFlightCount() == 0, "I6", "requests without a medium are in flight");
    disk.node.drain("afterwards").close();
    backend.insert(disk.node);
    stage.write(backend, 0, 1);
  }

  private static void flushAndEject(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    stage.write(backend, 0, 1);
    disk.hold();
    Coroutine flusher = stage.spawn(stage.io2(), "flusher", () -> Stage.errorOf(backend::flush));
    stage.until(() -> disk.underWay() == 1);
    Coroutine remover =
        stage.spawn(
            stage.main(),
            "remover",
            () -> {
              backend.close();
              stage.release(disk.node);
            });
    stage.pause();
    stage.require(!disk.closed, "I8", "closed under a flush");
    disk.letGo();
    flusher.join();
    remover.join();
    stage.require(disk.closed && disk.flushes == 1, "I8", "never closed");
  }

  private static void stopped(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    backend.setErrorPolicies(ErrorPolicy.STOP, ErrorPolicy.ENOSPC);
    disk.failure = Errno.ENOSPC;
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int value = i + 1;
      users.add(
          stage.spawn(
              stage.anyLoop(), "user" + i, () -> stage.write(backend, value * 512L, value)));
    }
    stage.until(() -> backend.waitingRequests().size() == 3);
    stage.require(backend.ioStatus() == IoStatus.NOSPACE, "I9", "status " + backend.ioStatus());
    stage.require(
        backend.waitingRequests().toString().contains("No space left on device"),
        "dump",
        backend.waitingRequests().toString());
    try (DrainedSection drained = disk.node.drain("beside")) {
      stage.require(backend.inFlightCount() == 0, "I6", "stopped requests count as in flight");
      backend.resume();
      stage.pause();
      stage.require(disk.underWay() == 0, "I6", "resumed inside a drained section");
    }
    stage.until(() -> backend.ioStatus() == IoStatus.NOSPACE);
    stage.until(() -> backend.waitingRequests().size() == 3);
    Coroutine cancelled =
        stage.spawn(
            stage.io2(),
            "cancelled",
            () ->
                stage.require(
                    Stage.errorOf(() -> stage.write(backend, 4096, 9)) == Errno.ECANCELED,
                    "I9",
                    "not cancelled"));
    stage.until(() -> backend.waitingRequests().size() == 4);
    cancelled.requestCancel();
    cancelled.join();
    disk.failure = null;
    backend.resume();
    for (Coroutine user : users) {
      user.join();
    }
    stage.require(backend.ioStatus() == IoStatus.OK, "I9", "status " + backend.ioStatus());
    for (int i = 1; i <= 3; i++) {
      stage.expect(backend, i * 512L, i);
    }
    disk.failure = Errno.EIO;
    Coroutine last =
        stage.spawn(
            stage.io1(),
            "last",
            () ->
                stage.require(
                    Stage.errorOf(() -> stage.read(backend, 0)) == Errno.ENOMEDIUM,
                    "I9",
                    "not told that there is no medium any more"));
    stage.until(() -> backend.waitingRequests().size() == 1);
    stage.require(backend.ioStatus() == IoStatus.FAILED, "I9", "status " + backend.ioStatus());
    backend.close();
    last.join();
  }

  private static void policies(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    BlockStatistics accounts = new BlockStatistics(stage.simulation().clocks());
    backend.setStatistics(accounts);
    List<String> told = new ArrayList<>();
    backend.onError((kind, action, cause) -> told.add(kind + " " + action + " " + cause.errno()));
    stage.write(backend, 0, 1);
    stage.expect(backend, 0, 1);
    backend.flush();
    backend.discard(512, 512);
    disk.failure = Errno.EIO;
    backend.setErrorPolicies(ErrorPolicy.AUTO, ErrorPolicy.AUTO);
    stage.require(Stage.errorOf(() -> stage.read(backend, 0)) == Errno.EIO, "I9", "rerror=auto");
    stage.require(Stage.errorOf(() -> stage.write(backend, 0, 1)) == Errno.EIO, "I9", "werror");
    backend.setErrorPolicies(ErrorPolicy.IGNORE, ErrorPolicy.IGNORE);
    stage.read(backend, 0);
    stage.write(backend, 0, 1);
    stage.require(
        Stage.errorOf(() -> stage.read(backend, -1)) == Errno.EIO, "I9", "an invalid one ignored");
    stage.require(
        told.equals(
            List.of("READ REPORT EIO", "WRITE REPORT EIO", "READ IGNORE EIO", "WRITE IGNORE EIO")),
        "I9",
        told.toString());
    stage.require(
        accounts.operations(IoKind.READ) == 1
            && accounts.operations(IoKind.WRITE) == 1
            && accounts.operations(IoKind.FLUSH) == 1
            && accounts.operations(IoKind.UNMAP) == 1
            && accounts.bytes(IoKind.WRITE) == 512
            && accounts.failedOperations(IoKind.READ) == 2
            && accounts.failedOperations(IoKind.WRITE) == 2
            && accounts.invalidOperations(IoKind.READ) == 1,
        "I9",
        "accounts do not add up");
    stage.require(disk.node.highestWrittenBytes() == 512, "I9", "highest offset");
  }

  /** The disk moves; its requests come from where they like. */
  private static void byContext(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    Coroutine one = stage.spawn(stage.io1(), "one", () -> stage.write(backend, 0, 1));
    Coroutine two =
        stage.spawn(
            stage.io2(),
            "two",
            () -> {
              stage.write(backend, 512, 1);
              backend.flush();
            });
    stage.graph().moveToContext(disk.node, stage.io2());
    one.join();
    two.join();
    disk.failure = Errno.EIO;
    stage.require(Stage.errorOf(() -> stage.read(backend, 0)) == Errno.EIO, "I9", "read");
    disk.failure = null;
    String report = JsonWriter.compact(backend.contextCounts().report());
    for (String entry :
        List.of(
            entry("io1", 0, 512, 1, 0), entry("io2", 0, 512, 1, 1), entry("main", 1, 0, 0, 0))) {
      stage.require(report.contains(entry), "I9", report + " without " + entry);
    }
    for (int i = 0; i < 100; i++) {
      stage
          .spawn(stage.simulation().newLoop("loop" + i), "more", () -> stage.write(backend, 0, 1))
          .join();
    }
    Json.Array entries = backend.contextCounts().report();
    String others = JsonWriter.compact(entries.elements().getLast());
    stage.require(entries.elements().size() == 65, "I9", "entries: " + others);
    stage.require(others.equals(entry("others", 0, 39 * 512, 39, 0)), "I9", others);
  }

  private static String entry(String context, int failed, int written, int writes, int flushes) {
    return JsonWriter.compact(
        new Json.Members()
            .put("context", context)
            .put("rd_bytes", 0)
            .put("rd_operations", 0)
            .put("failed_rd_operations", failed)
            .put("wr_bytes", written)
            .put("wr_operations", writes)
            .put("failed_wr_operations", 0)
            .put("flush_operations", flushes)
            .put("failed_flush_operations", 0)
            .put("unmap_bytes", 0)
            .put("unmap_operations", 0)
            .put("failed_unmap_operations", 0));
  }

  private static void copies(Stage stage) throws Exception {
    StagedDisk from = stage.disk("from", stage.io1());
    StagedDisk to = stage.disk("to", stage.io2());
    BlockBackend source = stage.backend("source", stage.filter("f", from.node).node);
    BlockBackend target = stage.backend("target", stage.filter("t", to.node).node);
    for (int i = 0; i < 4; i++) {
      stage.write(source, i * 512L, i + 1);
    }
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      int offset = i * 512;
      int value = i + 1;
      users.add(
          stage.spawn(
              stage.anyLoop(),
              "copier" + i,
              () -> {
                int flags = value % 2 == 0 ? RequestFlags.SERIALISING : 0;
                while (!source.copyRange(offset, target, 4096 + offset, 512, 0, flags)) {
                  Coroutine.yieldNow(); // somebody was in the way
                }
                stage.expect(target, 4096 + offset, value);
              }));
      users.add(stage.spawn(stage.anyLoop(), "beside" + i, () -> stage.write(target, offset, 99)));
    }
    for (int i = 0; i < 4; i++) {
      // In either order: whoever copies holds both or none.
      boolean sourceFirst = stage.random().nextBoolean();
      try (DrainedSection one = (sourceFirst ? from : to).node.drain("one");
          DrainedSection two = (sourceFirst ? to : from).node.drain("two")) {
        from.untouchable = true;
        to.untouchable = true;
        stage.pause();
        from.untouchable = false;
        to.untouchable = false;
      }
      Coroutine.yieldNow();
    }
    for (Coroutine user : users) {
      user.join();
    }
    stage.require(
        !source.copyRange(0, source, 256, 512, 0, 0), "I10", "a range was copied over itself");
    stage.require(source.copyRange(0, source, 1024, 512, 0, 0), "I10", "not within one disk");
  }

  private static void status(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    disk.slowStatus = true;
    BlockBackend backend = stage.backend("user", disk.node);
    backend.write(0, IoVector.of(stage.memory(4096).fill((byte) 1)), 0);
    // All at once: one asks the disk, the others take what it finds.
    List<Coroutine> together = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      together.add(
          stage.spawn(stage.anyLoop(), "together" + i, () -> backend.status(0, 512, true)));
    }
    for (Coroutine each : together) {
      each.join();
    }
    for (int i = 0; i < 8; i++) {
      BlockStatus found = backend.status(i * 512L, 512, true);
      stage.require(
          found.has(BlockStatus.DATA) && found.lengthBytes() == 512, "I10", found.toString());
      stage.require(found.mappedOffsetBytes() == i * 512L, "I10", found.toString());
    }
    stage.require(disk.statusQueries == 1, "I9", disk.statusQueries + " queries");
    Coroutine zeroer =
        stage.spawn(
            stage.io2(),
            "zeroer",
            () -> {
              backend.writeZeroes(1024, 512, 0);
              backend.discard(2048, 512);
            });
    Coroutine asker =
        stage.spawn(
            stage.io1(),
            "asker",
            () -> {
              for (int i = 0; i < 20; i++) {
                backend.status(i % 8 * 512L, 512, true);
              }
            });
    zeroer.join();
    stage.require(backend.status(1024, 512, true).has(BlockStatus.ZERO), "I10", "stale status");
    stage.require(backend.status(2048, 512, true).has(BlockStatus.ZERO), "I10", "stale status");
    asker.join();
    backend.truncate(512, true, PreallocationMode.OFF);
    backend.truncate(4096, true, PreallocationMode.OFF);
    stage.require(backend.status(512, 512, true).has(BlockStatus.ZERO), "I10", "stale status");
    BlockStatus end = backend.status(4096, 512, true);
    stage.require(end.has(BlockStatus.END_OF_FILE | BlockStatus.ZERO), "G9", end.toString());
  }

  private static void threshold(Stage stage) throws Exception {
    StagedDisk disk = stage.disk("disk", stage.io1());
    BlockBackend backend = stage.backend("user", disk.node);
    List<String> told = new ArrayList<>();
    disk.node
        .writeThreshold()
        .set(1024, (threshold, exceeded) -> told.add(threshold + "+" + exceeded));
    stage.write(backend, 512, 1);
    stage.require(told.isEmpty(), "I9", "fired too early: " + told);
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      users.add(stage.spawn(stage.anyLoop(), "user" + i, () -> beyond(stage, backend)));
    }
    for (Coroutine user : users) {
      user.join();
    }
    stage.require(told.equals(List.of("1024+512")), "I9", told.toString());
    stage.require(disk.node.writeThreshold().bytes() == 0, "I9", "still armed");
  }

  private static void beyond(Stage stage, BlockBackend backend) throws BlockException {
    stage.write(backend, 1024, 2);
  }
}

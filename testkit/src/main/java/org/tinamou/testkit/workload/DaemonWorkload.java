package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.GraphAudit;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.open.DriverList;
import org.tinamou.block.open.DriverType;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.block.open.NodeOpening;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.filter.throttle.ThrottleType;
import org.tinamou.monitor.CommandContext;
import org.tinamou.monitor.CommandException;
import org.tinamou.objects.ObjectRegistry;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.testkit.sim.Simulation;

/**
 * A daemon whose nodes and exports are moved, put on top of each other and taken away again while
 * NBD clients write and read. No request may fail because of that or see wrong data, every command
 * must end, and nothing may be left.
 */
final class DaemonWorkload implements Workload {
  private static final int PART_BYTES = 4096;
  private static final int USERS = 3;
  private static final int THREADS = 3;
  private static final int MOST_TRIES = 100;
  private static final long LONGEST_STOP_NANOS = 1_000_000_000L;

  private Simulation simulation;
  private SeededRandom random;
  private AioContext main;
  private AioContext clientLoop;
  private Daemon daemon;
  private Arena arena;
  private final Deque<AioContext> idleLoops = new ArrayDeque<>();
  private int running;

  @SuppressWarnings("NullAway") // everything is made at the start of the run
  DaemonWorkload() {}

  @Override
  public void run(Simulation given) {
    simulation = given;
    random = simulation.random().fork();
    main = simulation.newLoop("main");
    clientLoop = simulation.newLoop("clients");
    for (int i = 0; i < THREADS; i++) {
      idleLoops.add(simulation.newLoop("io" + i));
    }
    arena = Arena.ofAuto();
    daemon = new Daemon(main, this::startLoop, this::drivers);
    main.spawn("control", this::control);
    Workload.runToRest(simulation);
    simulation.require(
        simulation.network().openSockets() == 0,
        "I8",
        simulation.network().openSockets() + " sockets left");
    simulation.closeLoops();
  }

  private LoopStarter.Loop startLoop(String name, BusyPolling polling) {
    AioContext loop = idleLoops.remove();
    return new LoopStarter.Loop() {
      @Override
      public AioContext context() {
        return loop;
      }

      @Override
      public void close() {
        idleLoops.add(loop);
      }
    };
  }

  private DriverList drivers(ObjectRegistry objects) {
    return new DriverList(
        List.of(new MemoryType(), new ThrottleType(objects)), Set.of(), (start, name) -> null);
  }

  /** {@code memory}: disks that answer the hard way. */
  private final class MemoryType implements DriverType {
    @Override
    public String name() {
      return "memory";
    }

    @Override
    public BlockDriver open(NodeOpening opening) {
      return new MemoryDriver(simulation, random.fork(), opening.node(), USERS * PART_BYTES);
    }
  }

  // ------------------------------------------------------------------------------------ commands

  /** Carries a command out that has to succeed. */
  private void command(String name, String arguments) {
    String error = attempt(name, arguments);
    simulation.require(error == null, "I9", name + " " + arguments + ": " + error);
  }

  /** The error of a command, or null. */
  private @org.jspecify.annotations.Nullable String attempt(String name, String arguments) {
    Json tree =
        JsonParser.parse(arguments) instanceof org.tinamou.base.Parsed.Value<Json>(Json json)
            ? json
            : new Json.Members();
    try {
      java.util.Objects.requireNonNull(daemon.commands().get(name), name)
          .run(OptionReader.of((Json.Members) tree, OptionReader.Style.TYPED), CommandContext.NONE);
      return null;
    } catch (CommandException | OptionException e) {
      return String.valueOf(e.getMessage());
    } finally {
      List<String> problems = GraphAudit.problems(daemon.graph());
      simulation.require(problems.isEmpty(), "I15", problems.toString());
    }
  }

  private void control() throws BlockException {
    for (int i = 0; i < THREADS; i++) {
      command("object-add", "{'qom-type': 'iothread', 'id': 'io%d'}".formatted(i));
    }
    command(
        "object-add", "{'qom-type': 'throttle-group', 'id': 'g', 'limits': {'iops-total': 10000}}");
    command("blockdev-add", "{'driver': 'memory', 'node-name': 'disk'}");
    command("nbd-server-start", "{'addr': {'type': 'unix', 'data': {'path': '/no/such/sim'}}}");
    command(
        "block-export-add",
        "{'type': 'nbd', 'id': 'e', 'node-name': 'disk', 'name': 'e', 'writable': true%s}"
            .formatted(random.nextBoolean() ? ", 'iothread': 'io0'" : ""));
    running = USERS;
    for (int i = 0; i < USERS; i++) {
      int part = i;
      clientLoop.spawn("client" + i, () -> use(part, 2 + random.nextInt(8)));
    }
    while (running > 0) {
      main.sleep(ClockType.REALTIME, random.nextLong(200_000));
      change(random.nextInt(8));
    }
    end();
  }

  private void change(int way) {
    switch (way) {
      case 0, 1, 2 -> move();
      case 3 -> filter();
      case 4 -> secondExport();
      case 5 ->
          command(
              "qom-set",
              "{'path': 'g', 'property': 'limits', 'value': {'iops-total': %d}}"
                  .formatted(1000 + random.nextInt(100_000)));
      case 6 -> bitmaps();
      default -> refused();
    }
  }

  private void move() {
    int target = random.nextInt(THREADS + 1);
    String thread = target == THREADS ? "null" : "'io" + target + "'";
    command(
        "x-blockdev-set-iothread",
        "{'node-name': 'disk', 'iothread': %s, 'force': true}".formatted(thread));
  }

  /** A filter comes between the export and its disk, and goes again. */
  private void filter() {
    command(
        "blockdev-add",
        "{'driver': 'throttle', 'node-name': 'filter', 'throttle-group': 'g', 'file': 'disk'}");
    command(
        "blockdev-replace", "{'parent-type': 'export', 'export-id': 'e', 'new-child': 'filter'}");
    if (random.nextBoolean()) {
      move();
    }
    main.sleep(ClockType.REALTIME, random.nextLong(200_000));
    command("blockdev-replace", "{'parent-type': 'export', 'export-id': 'e', 'new-child': 'disk'}");
    command("blockdev-del", "{'node-name': 'filter'}");
  }

  private void secondExport() {
    int thread = random.nextInt(THREADS);
    command(
        "block-export-add",
        "{'type': 'nbd', 'id': 'f', 'node-name': 'disk', 'name': 'f', 'iothread': 'io%d'}"
            .formatted(thread));
    main.sleep(ClockType.REALTIME, random.nextLong(100_000));
    command(
        "block-export-del",
        "{'id': 'f', 'mode': '%s'}".formatted(random.nextBoolean() ? "safe" : "hard"));
  }

  private void bitmaps() {
    command("block-dirty-bitmap-add", "{'node': 'disk', 'name': 'b', 'granularity': 512}");
    String error =
        attempt(
            "transaction",
            "{'actions': [{'type': 'block-dirty-bitmap-clear', 'data': {'node': 'disk', 'name':"
                + " 'b'}}, {'type': 'abort', 'data': {}}]}");
    simulation.require(error != null, "I16", "an aborted transaction succeeded");
    command("block-dirty-bitmap-remove", "{'node': 'disk', 'name': 'b'}");
  }

  /** What has to be refused, and must not change anything. */
  private void refused() {
    String before = daemon.graph().nodes().toString();
    for (String each :
        List.of("{'node-name': 'disk'}", "{'node-name': 'nothing'}", "{'node-name': 'filter'}")) {
      simulation.require(attempt("blockdev-del", each) != null, "I16", "deleted " + each);
    }
    simulation.require(
        before.equals(daemon.graph().nodes().toString()), "I16", "a refused command left a trace");
  }

  private void end() {
    long before = simulation.nowNanos();
    command("nbd-server-stop", "{}");
    simulation.require(
        simulation.nowNanos() - before <= LONGEST_STOP_NANOS, "N7", "the server did not stop");
    daemon.close();
    simulation.require(
        daemon.graph().nodes().isEmpty() && daemon.graph().backends().isEmpty(),
        "I22",
        "left: " + daemon.graph().nodes() + daemon.graph().backends());
  }

  // ------------------------------------------------------------------------------------- clients

  private void use(int part, int rounds) throws BlockException {
    BlockGraph graph = new BlockGraph(clientLoop);
    Json.Members options =
        new Json.Members()
            .put("driver", "nbd")
            .put("server.type", "unix")
            .put("server.path", "/no/such/sim")
            .put("export", "e");
    BlockNode node =
        new NodeOpener(graph, Drivers.list())
            .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, clientLoop);
    BlockBackend backend =
        new BlockBackend(graph, "guest", clientLoop, Permission.ALL, Permission.ALL);
    try {
      backend.insert(node);
      graph.release(node);
      transfer(backend, part, rounds);
    } finally {
      backend.close();
      running--;
    }
  }

  private void transfer(BlockBackend backend, int part, int rounds) {
    MemorySegment buffer = arena.allocate(PART_BYTES);
    long offset = (long) part * PART_BYTES;
    List<Integer> seen = new ArrayList<>();
    for (int value = 1; value <= rounds; value++) {
      buffer.fill((byte) value);
      IoVector data = IoVector.of(buffer);
      untilDone(() -> backend.write(offset, data, 0));
      buffer.fill((byte) 0xee);
      untilDone(() -> backend.read(offset, data, 0));
      for (int at = 0; at < PART_BYTES; at++) {
        if (buffer.get(ValueLayout.JAVA_BYTE, at) != value) {
          simulation.require(false, "I10", "byte %d is not %d".formatted(at, value));
        }
      }
      seen.add(value);
      Coroutine.yieldNow();
    }
    simulation.note("client done", "rounds", seen.size());
  }

  /** A request, which the disk may fail now and then. */
  @FunctionalInterface
  private interface Request {
    void run() throws BlockException;
  }

  private void untilDone(Request request) {
    for (int tries = 1; ; tries++) {
      try {
        request.run();
        return;
      } catch (BlockException e) {
        simulation.require(tries < MOST_TRIES, "I9", "a request fails: " + e.getMessage());
      }
    }
  }
}

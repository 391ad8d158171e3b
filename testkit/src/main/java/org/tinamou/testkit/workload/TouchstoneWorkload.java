package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.GraphAudit;
import org.tinamou.block.Permission;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobStatus;
import org.tinamou.jobs.mirror.CopyMode;
import org.tinamou.jobs.mirror.MirrorJob;
import org.tinamou.jobs.mirror.MirrorSettings;
import org.tinamou.jobs.mirror.MirrorSync;
import org.tinamou.testkit.net.MemoryExport;
import org.tinamou.testkit.sim.Simulation;

/**
 * The bug that the rules of this block layer begin with: a node goes from one loop to the other and
 * back, while a callback and a coroutine of it are queued, and users wait for their requests. In
 * most runs it is mirrored to a network disk meanwhile, which takes its place. All requests must
 * end, those made after the last move too.
 */
final class TouchstoneWorkload implements Workload {
  private static final int PART_BYTES = 512;
  private static final int USERS = 3;

  @Override
  public void run(Simulation simulation) {
    SeededRandom random = simulation.random().fork();
    AioContext main = simulation.newLoop("main");
    AioContext serverLoop = simulation.newLoop("server");
    List<AioContext> loops = List.of(simulation.newLoop("io1"), simulation.newLoop("io2"));
    BlockGraph graph = new BlockGraph(main);
    simulation.afterEveryStep(
        main,
        () -> {
          List<String> problems = GraphAudit.problems(graph);
          if (!problems.isEmpty()) {
            simulation.require(false, "graph", problems.toString());
          }
        });
    Arena arena = Arena.ofAuto();
    main.spawn("control", () -> control(simulation, random, graph, loops, serverLoop, arena));
    Workload.runToRest(simulation);
    simulation.closeLoops();
  }

  private static void control(
      Simulation simulation,
      SeededRandom random,
      BlockGraph graph,
      List<AioContext> loops,
      AioContext serverLoop,
      Arena arena)
      throws BlockException {
    BlockNode disk =
        graph.open(
            "disk",
            false,
            loops.getFirst(),
            node -> new TouchstoneDriver(simulation, random, node, USERS * PART_BYTES));
    BlockNode top = random.nextBoolean() ? disk : filter(random, graph, disk);
    BlockBackend backend =
        new BlockBackend(graph, "guest", loops.getFirst(), Permission.ALL, Permission.ALL);
    backend.insert(top);
    boolean[] moved = new boolean[1];
    List<Coroutine> users = new ArrayList<>();
    for (int i = 0; i < USERS; i++) {
      int offset = i * PART_BYTES;
      MemorySegment buffer = arena.allocate(PART_BYTES);
      AioContext loop = loops.get(random.nextInt(loops.size()));
      int rounds = 2 + random.nextInt(5);
      users.add(
          loop.spawn("user" + i, () -> use(simulation, backend, offset, buffer, rounds, moved)));
    }
    List<SimServer> servers = new ArrayList<>();
    Coroutine mirror =
        random.chance(2, 3)
            ? graph
                .main()
                .spawn(
                    "mirror", () -> mirror(simulation, random, backend, top, serverLoop, servers))
            : null;
    for (int i = 3 + random.nextInt(8); i > 0 || mirror != null && !mirror.isEnded(); i--) {
      backend.moveToContext(loops.get(i & 1));
      for (int turns = random.chance(1, 3) ? random.nextInt(20) : 0; turns > 0; turns--) {
        Coroutine.yieldNow();
      }
    }
    moved[0] = true;
    for (Coroutine user : users) {
      user.join();
    }
    backend.close();
    if (top != disk) {
      graph.release(top);
    }
    graph.release(disk);
    servers.forEach(SimServer::stop);
    simulation.require(graph.nodes().isEmpty(), "I22", "nodes left: " + graph.nodes());
  }

  /** A network disk takes the place of what the guest uses, while it is used and moved. */
  private static void mirror(
      Simulation simulation,
      SeededRandom random,
      BlockBackend backend,
      BlockNode source,
      AioContext serverLoop,
      List<SimServer> servers)
      throws BlockException {
    BlockGraph graph = source.graph();
    MemoryExport export = new MemoryExport(random.fork(), USERS * PART_BYTES, true);
    SimServer server = SimServer.start(serverLoop, "/sim", export);
    servers.add(server);
    BlockNode target = server.client(graph, "target", 0, graph.main());
    JobList jobs = new JobList(graph.main());
    MirrorSettings settings =
        MirrorSettings.of(MirrorSync.FULL)
            .withGranularity(PART_BYTES)
            .withCopyMode(CopyMode.WRITE_BLOCKING);
    MirrorJob job = MirrorJob.create(jobs, JobSettings.of("j"), source, target, settings);
    job.start();
    while (job.status() != JobStatus.READY && job.status() != JobStatus.STANDBY) {
      graph.main().sleep(ClockType.REALTIME, 100_000);
    }
    job.complete();
    simulation.require(job.await() == null, "I17", "the mirror failed: " + job.failure());
    simulation.require(backend.node() == target, "I18", "the target has not taken over");
    graph.release(target);
  }

  private static BlockNode filter(SeededRandom random, BlockGraph graph, BlockNode below)
      throws BlockException {
    return graph.open(
        "filter",
        false,
        below.context(),
        node ->
            new PassThroughDriver(
                random,
                node,
                null,
                node.attachChild(
                    "file",
                    Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
                    below,
                    Permission.NONE,
                    Permission.ALL)));
  }

  private static void use(
      Simulation simulation,
      BlockBackend backend,
      int offset,
      MemorySegment buffer,
      int rounds,
      boolean[] moved)
      throws BlockException {
    boolean last = false;
    for (int round = 1; round <= rounds || !last; round++) {
      last = moved[0];
      int i = 1 + round % 100;
      buffer.fill((byte) i);
      backend.write(offset, IoVector.of(buffer), 0);
      buffer.fill((byte) 0);
      backend.read(offset, IoVector.of(buffer), 0);
      simulation.require(buffer.get(ValueLayout.JAVA_BYTE, 0) == i, "I10", "wrong data");
    }
    backend.flush();
  }
}

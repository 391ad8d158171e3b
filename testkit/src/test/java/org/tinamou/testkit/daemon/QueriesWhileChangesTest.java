package org.tinamou.testkit.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.base.Parsed;
import org.tinamou.block.BlockNode;
import org.tinamou.daemon.Daemon;
import org.tinamou.daemon.LoopStarter;
import org.tinamou.drivers.Drivers;
import org.tinamou.monitor.CommandContext;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.OptionReader;
import org.tinamou.testkit.sim.Simulation;

/** Commands of two monitors at once, on nodes in whatever loop they are. */
final class QueriesWhileChangesTest {
  private static final Path FILE = Path.of("/disk");
  private static final int ROUNDS = 12;

  private Simulation simulation;
  private AioContext main;
  private Daemon daemon;
  private final Deque<AioContext> idle = new ArrayDeque<>();

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 40);
  }

  /** What is done with a daemon, on its main loop. */
  @FunctionalInterface
  private interface Play {
    void act() throws Exception;
  }

  private void play(long seed, Play play) {
    simulation = new Simulation(seed, false);
    main = simulation.newLoop("main");
    for (int i = 0; i < 2; i++) {
      idle.add(simulation.newLoop("io" + i));
    }
    boolean[] done = new boolean[1];
    main.spawn(
        "control",
        () -> {
          daemon = new Daemon(main, (name, polling) -> loop(), Drivers::list);
          main.callBlocking(
              () -> {
                int fd = main.hostFiles().open(FILE, 0600, OpenFlag.CREATE, OpenFlag.READ_WRITE);
                main.hostFiles().truncate(fd, 65536);
                main.hostFiles().close(fd);
                return true;
              });
          play.act();
          daemon.close();
          assertTrue(daemon.graph().nodes().isEmpty(), () -> "left: " + daemon.graph().nodes());
          done[0] = true;
        });
    assertTrue(simulation.run(1_000_000), "still busy");
    assertTrue(done[0]);
    simulation.checkAtRest();
    simulation.closeLoops();
  }

  private LoopStarter.Loop loop() {
    AioContext context = idle.remove();
    return new LoopStarter.Loop() {
      @Override
      public AioContext context() {
        return context;
      }

      @Override
      public void close() {
        idle.add(context);
      }
    };
  }

  private Json command(String name, String arguments) throws Exception {
    Parsed.Value<Json> tree = (Parsed.Value<Json>) JsonParser.parse(arguments);
    return Objects.requireNonNull(daemon.commands().get(name), name)
        .run(
            OptionReader.of((Json.Members) tree.value(), OptionReader.Style.TYPED),
            CommandContext.NONE);
  }

  private void addNode(String name) throws Exception {
    command(
        "blockdev-add",
        "{'driver': 'raw', 'node-name': '%s', 'file': {'driver': 'file', 'filename': '%s', 'locking': 'off'}}"
            .formatted(name, FILE));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  @DisplayName("nodes go while a list of them is walked")
  void m4_nodesGoWhileTheListIsWalked(long seed) {
    play(
        seed,
        () -> {
          addNode("stays");
          boolean[] stop = new boolean[1];
          int[] queries = new int[1];
          Coroutine other =
              main.spawn(
                  "other monitor",
                  () -> {
                    while (!stop[0]) {
                      Json.Array all =
                          assertInstanceOf(
                              Json.Array.class, command("query-named-block-nodes", "{}"));
                      assertTrue(all.elements().size() >= 2);
                      queries[0]++;
                    }
                  });
          for (int i = 0; i < ROUNDS || queries[0] < 3; i++) {
            addNode("goes");
            for (int turns = simulation.random().nextInt(6); turns > 0; turns--) {
              Coroutine.yieldNow();
            }
            command("blockdev-del", "{'node-name': 'goes'}");
          }
          stop[0] = true;
          other.join();
        });
  }

  @ParameterizedTest
  @MethodSource("seeds")
  @DisplayName("commands reach nodes in the loops they live in")
  void m3_commandsReachNodesOfOtherLoops(long seed) {
    play(
        seed,
        () -> {
          command("object-add", "{'qom-type': 'iothread', 'id': 'a'}");
          command("object-add", "{'qom-type': 'iothread', 'id': 'b'}");
          addNode("disk");
          BlockNode node = Objects.requireNonNull(daemon.graph().node("disk"));
          for (int i = 0; i < ROUNDS; i++) {
            String thread = i % 3 == 2 ? "null" : i % 3 == 1 ? "'b'" : "'a'";
            command(
                "x-blockdev-set-iothread",
                "{'node-name': 'disk', 'iothread': %s}".formatted(thread));
            assertEquals(i % 3 == 2, node.context() == main);
            int size = 65536 + 512 * i;
            command("block_resize", "{'node-name': 'disk', 'size': %d}".formatted(size));
            assertEquals(size, node.lengthBytes());
            command("block-dirty-bitmap-add", "{'node': 'disk', 'name': 'b'}");
            command("block-dirty-bitmap-clear", "{'node': 'disk', 'name': 'b'}");
            command("block-dirty-bitmap-remove", "{'node': 'disk', 'name': 'b'}");
            command("query-named-block-nodes", "{}");
            command("query-blockstats", "{'query-nodes': true}");
          }
        });
  }
}

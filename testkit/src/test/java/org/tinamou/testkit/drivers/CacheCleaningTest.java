package org.tinamou.testkit.drivers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.base.ClockType;
import org.tinamou.base.IoVector;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DebugEvent;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.ReopenChange;
import org.tinamou.block.open.ImageAddress;
import org.tinamou.block.open.NodeOpener;
import org.tinamou.drivers.Drivers;
import org.tinamou.drivers.format.qcow2.Qcow2Creator;
import org.tinamou.drivers.format.qcow2.Qcow2Driver;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionReader;
import org.tinamou.testkit.sim.Simulation;

/**
 * What a qcow2 image keeps of its tables is given back after an interval without use, while users
 * on several loops read and write and the image moves from loop to loop.
 */
final class CacheCleaningTest {
  private static final Path FILE = Path.of("/disk");
  private static final long SECOND = 1_000_000_000L;
  private static final int INTERVAL_SECONDS = 10;

  /** So much of the disk is told of by one slice of the smallest size. */
  private static final long SLICE_SPAN_BYTES = 64L << 16;

  private static final int SLICES = 16;
  private static final int USERS = 3;
  private static final int PIECE_BYTES = 512;
  private static final int ROUNDS = 40;

  private Simulation simulation;
  private AioContext main;
  private BlockNode node;
  private BlockBackend backend;
  private boolean ended;

  static LongStream seeds() {
    return LongStream.rangeClosed(1, 15);
  }

  private void run(long seed, Coroutine.Body body) {
    simulation = new Simulation(seed, false);
    simulation.calmDown();
    main = simulation.newLoop("main");
    main.spawn(
        "control",
        () -> {
          open();
          body.run();
          backend.close();
          ended = true;
        });
    assertTrue(simulation.run(5_000_000), "still busy");
    simulation.checkAtRest();
    assertTrue(ended);
    simulation.closeLoops();
  }

  private void open() throws Exception {
    main.callBlocking(
        () -> {
          main.hostFiles()
              .close(main.hostFiles().open(FILE, 0600, OpenFlag.CREATE, OpenFlag.READ_WRITE));
          return true;
        });
    BlockGraph graph = new BlockGraph(main);
    Json.Members file = new Json.Members().put("driver", "file").put("filename", FILE.toString());
    insert(graph, file);
    Qcow2Creator.create(backend, Qcow2Creator.Request.ofSize(SLICES * SLICE_SPAN_BYTES));
    backend.close();
    insert(
        graph,
        new Json.Members()
            .put("driver", "qcow2")
            .put("l2-cache-entry-size", "512")
            .put("cache-clean-interval", Integer.toString(INTERVAL_SECONDS))
            .put("file.driver", "blkdebug")
            .put("file.image.driver", "file")
            .put("file.image.filename", FILE.toString()));
  }

  private void insert(BlockGraph graph, Json.Members options) throws BlockException {
    node =
        new NodeOpener(graph, Drivers.list())
            .open(ImageAddress.ofOptions(options), NodeOptions.READ_WRITE, main);
    backend =
        new BlockBackend(
            graph,
            "",
            main,
            Permission.CONSISTENT_READ | Permission.WRITE | Permission.RESIZE,
            Permission.ALL);
    backend.setFollowsNode(true);
    backend.insert(node);
    graph.release(node);
  }

  private long cachedBytes() {
    try {
      return ((Qcow2Driver) node.driver()).cachedTableBytes();
    } catch (BlockException e) {
      throw new AssertionError(e);
    }
  }

  private void changeInterval(int seconds) throws Exception {
    Json.Members options =
        new Json.Members()
            .put("l2-cache-entry-size", "512")
            .put("cache-clean-interval", Integer.toString(seconds));
    OptionReader reader = OptionReader.of(options, OptionReader.Style.LOOSE);
    Object next = ((Qcow2Driver) node.driver()).runtimeOptions(reader, false);
    node.graph().reopen(List.of(new ReopenChange(node, node.options(), next, List.of())));
  }

  private static void sleep(long nanos) {
    Coroutine.current().context().sleep(ClockType.REALTIME, nanos);
  }

  /** Fills, or checks, one piece of each slice's part of the disk; the value is its number's. */
  private void all(boolean write, int user, int value) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment piece = arena.allocate(PIECE_BYTES);
      for (int slice = 0; slice < SLICES; slice++) {
        long at = slice * SLICE_SPAN_BYTES + (long) user * PIECE_BYTES;
        if (write) {
          backend.write(at, IoVector.of(piece.fill((byte) (value + slice))), 0);
        } else {
          check(at, value + slice);
        }
      }
    }
  }

  private void check(long at, int value) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment piece = arena.allocate(PIECE_BYTES);
      backend.read(at, IoVector.of(piece), 0);
      assertEquals((byte) value, piece.get(ValueLayout.JAVA_BYTE, 17));
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void whatIsNotUsedIsGivenBackAfterTheInterval(long seed) {
    run(
        seed,
        () -> {
          all(true, 0, 5);
          backend.flush();
          long full = cachedBytes();
          assertTrue(full >= SLICES * 512L, "cached: " + full);
          sleep(INTERVAL_SECONDS * SECOND / 2);
          assertEquals(full, cachedBytes());
          sleep(2 * INTERVAL_SECONDS * SECOND);
          assertEquals(0, cachedBytes());
          all(false, 0, 5);
          assertTrue(cachedBytes() > 0);
          // Half of it stays in use.
          for (int i = 0; i < 4; i++) {
            sleep(INTERVAL_SECONDS * SECOND - SECOND);
            readSlices(SLICES / 2);
          }
          assertEquals(SLICES / 2 * 512L, cachedBytes());
          changeInterval(0);
          all(false, 0, 5);
          sleep(100 * INTERVAL_SECONDS * SECOND);
          assertEquals(SLICES * 512L, cachedBytes());
          changeInterval(1);
          sleep(3 * SECOND);
          assertEquals(0, cachedBytes());
          all(false, 0, 5);
        });
  }

  private void readSlices(int count) throws BlockException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment piece = arena.allocate(PIECE_BYTES);
      for (int slice = 0; slice < count; slice++) {
        backend.read(slice * SLICE_SPAN_BYTES, IoVector.of(piece), 0);
      }
    }
  }

  /** What was changed is never given back before it is in the file. */
  @ParameterizedTest
  @MethodSource("seeds")
  void whatWasChangedStaysUntilItIsWritten(long seed) {
    run(
        seed,
        () -> {
          all(true, 0, 5);
          sleep(5 * INTERVAL_SECONDS * SECOND);
          assertTrue(cachedBytes() >= SLICES * 512L);
          all(false, 0, 5);
          backend.flush();
          sleep(3 * INTERVAL_SECONDS * SECOND);
          assertEquals(0, cachedBytes());
          all(false, 0, 5);
        });
  }

  /** A request that waits for a part of a table keeps all of them. */
  @ParameterizedTest
  @MethodSource("seeds")
  void nothingIsGivenBackWhileSomebodyHasTheTables(long seed) {
    run(
        seed,
        () -> {
          all(true, 0, 5);
          backend.flush();
          sleep(3 * INTERVAL_SECONDS * SECOND);
          readSlices(SLICES - 1);
          BlockDriver.Breakpoints points = BlockDriver.Breakpoints.below(node);
          points.addBreakpoint(DebugEvent.L2_LOAD, "load", message -> {});
          AioContext loop = simulation.newLoop("io");
          long last = (SLICES - 1) * SLICE_SPAN_BYTES;
          Coroutine reader = loop.spawn("reader", () -> check(last, 5 + SLICES - 1));
          points.awaitSuspended("load");
          sleep(5 * INTERVAL_SECONDS * SECOND);
          assertEquals(SLICES * 512L, cachedBytes());
          assertTrue(points.resume("load"));
          reader.join();
          sleep(3 * INTERVAL_SECONDS * SECOND);
          assertEquals(0, cachedBytes());
        });
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void itGoesOnUnderLoadAndFromLoopToLoop(long seed) {
    run(
        seed,
        () -> {
          List<AioContext> loops = List.of(main, simulation.newLoop("a"), simulation.newLoop("b"));
          List<Coroutine> users = new ArrayList<>();
          for (int i = 0; i < USERS; i++) {
            users.add(use(loops.get(i), i));
          }
          SeededRandom random = simulation.random().fork();
          for (int i = 0; i < 25; i++) {
            sleep(random.nextLong(INTERVAL_SECONDS * SECOND));
            switch (random.nextInt(3)) {
              case 0 -> node.graph().moveToContext(node, loops.get(random.nextInt(loops.size())));
              case 1 -> changeInterval(1 + random.nextInt(INTERVAL_SECONDS));
              default -> {
                try (DrainedSection drained = node.drain("test")) {
                  sleep(random.nextLong(2 * INTERVAL_SECONDS * SECOND));
                }
              }
            }
          }
          users.forEach(Coroutine::join);
          backend.flush();
          sleep(3 * INTERVAL_SECONDS * SECOND);
          assertEquals(0, cachedBytes());
          for (int i = 0; i < USERS; i++) {
            all(false, i, ROUNDS - 1);
          }
        });
  }

  private Coroutine use(AioContext loop, int number) {
    SeededRandom random = simulation.random().fork();
    return loop.spawn(
        "user",
        () -> {
          for (int round = 0; round < ROUNDS; round++) {
            all(true, number, round);
            sleep(random.nextLong(INTERVAL_SECONDS * SECOND));
            if (random.nextBoolean()) {
              backend.flush();
            }
            all(false, number, round);
          }
        });
  }
}

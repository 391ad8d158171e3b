package org.tinamou.testkit.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.FdWatch;
import org.tinamou.aio.HostFiles.OpenFlag;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;
import org.tinamou.base.SeededRandom;

/** Each class of fault happens when it is switched on, and ends when faults end. */
final class FaultsTest {
  private static final long MILLISECOND = 1_000_000;
  private static final long STEPS = 1_000_000;

  private final Arena arena = Arena.ofShared();

  @AfterEach
  void close() {
    arena.close();
  }

  private static Simulation simulation(long seed, SimFaults faults) {
    Simulation simulation = new Simulation(seed, SimConfig.PLAIN.with(faults));
    simulation.startFaults();
    return simulation;
  }

  private static void toRest(Simulation simulation) {
    assertTrue(simulation.run(STEPS), "still busy");
    simulation.checkAtRest();
    simulation.closeLoops();
  }

  private static int openFile(AioContext loop, String name) throws ErrnoException {
    return loop.hostFiles().open(Path.of(name), 0600, OpenFlag.READ_WRITE, OpenFlag.CREATE);
  }

  @Test
  void eachClassIsAbsentFromHalfOfTheSeeds() {
    List<ToIntFunction<SimFaults>> classes =
        List.of(
            SimFaults::lateTimerPercent,
            SimFaults::virtualStops,
            SimFaults::hostJumps,
            SimFaults::diskHangs,
            SimFaults::descriptorLimit,
            SimFaults::spuriousReadyPercent,
            SimFaults::cancelPercent);
    for (ToIntFunction<SimFaults> each : classes) {
      int present = 0;
      TreeSet<Integer> rates = new TreeSet<>();
      for (int seed = 0; seed < 1000; seed++) {
        int rate = each.applyAsInt(SimConfig.draw(new SeededRandom(seed)).faults());
        present += rate > 0 ? 1 : 0;
        rates.add(rate);
      }
      assertTrue(present > 400 && present < 600, present + " of 1000");
      assertTrue(rates.size() > 2, rates.toString());
    }
  }

  @Test
  void virtualStandsStillWhileRealtimeRuns() {
    Simulation simulation = simulation(1, new SimFaults(0, 3, 0, 0, 0, 0, 0));
    AioContext loop = simulation.newLoop("loop");
    SimClocks clocks = simulation.clocks();
    long ahead = clocks.nanos(ClockType.REALTIME) - clocks.nanos(ClockType.VIRTUAL);
    int[] slept = new int[1];
    for (ClockType clock : List.of(ClockType.VIRTUAL, ClockType.REALTIME)) {
      loop.spawn(
          "sleeper",
          () -> {
            for (int i = 0; i < 500; i++) {
              long before = clocks.nanos(clock);
              loop.sleep(clock, MILLISECOND);
              assertTrue(clocks.nanos(clock) - before >= MILLISECOND);
              slept[0]++;
            }
          });
    }
    toRest(simulation);
    assertEquals(1000, slept[0]);
    long stopped = clocks.nanos(ClockType.REALTIME) - clocks.nanos(ClockType.VIRTUAL) - ahead;
    assertTrue(stopped > MILLISECOND, "stood still for " + stopped + " ns");
    assertTrue(clocks.isRunning(ClockType.VIRTUAL));
  }

  @Test
  void theWallClockJumpsAndNobodyWaitsForEver() {
    Simulation simulation = simulation(2, new SimFaults(0, 0, 3, 0, 0, 0, 0));
    AioContext loop = simulation.newLoop("loop");
    int[] slept = new int[1];
    loop.spawn(
        "sleeper",
        () -> {
          for (int i = 0; i < 1000; i++) {
            loop.sleep(ClockType.HOST, MILLISECOND);
            slept[0]++;
          }
        });
    toRest(simulation);
    assertEquals(1000, slept[0]);
    assertEquals(3, simulation.clocks().hostJumps());
  }

  @Test
  void timersFireLateAndNeverEarly() {
    Simulation simulation = simulation(3, new SimFaults(30, 0, 0, 0, 0, 0, 0));
    AioContext loop = simulation.newLoop("loop");
    int[] late = new int[1];
    loop.spawn(
        "sleeper",
        () -> {
          for (int i = 0; i < 100; i++) {
            long before = simulation.nowNanos();
            loop.sleep(ClockType.REALTIME, MILLISECOND);
            long nanos = simulation.nowNanos() - before;
            assertTrue(nanos >= MILLISECOND);
            late[0] += nanos > 2 * MILLISECOND ? 1 : 0;
          }
        });
    toRest(simulation);
    assertTrue(late[0] > 10 && late[0] < 60, late[0] + " of 100");
  }

  /** Reads one block a hundred times; returns the longest a read took. */
  private long longestRead(Simulation simulation) {
    AioContext loop = simulation.newLoop("loop");
    MemorySegment buffer = arena.allocate(512);
    long[] longest = new long[1];
    loop.spawn(
        "reader",
        () -> {
          int fd = openFile(loop, "file");
          assertEquals(512, loop.io().write(fd, buffer, 0));
          for (int i = 0; i < 100; i++) {
            long before = simulation.nowNanos();
            assertEquals(512, loop.io().read(fd, buffer, 0));
            longest[0] = Math.max(longest[0], simulation.nowNanos() - before);
          }
          loop.hostFiles().close(fd);
        });
    toRest(simulation);
    return longest[0];
  }

  @Test
  void theDiskHangsAndGoesOn() {
    assertTrue(longestRead(simulation(4, SimFaults.NONE)) < MILLISECOND);
    long nanos = longestRead(simulation(4, new SimFaults(0, 0, 0, 1, 0, 0, 0)));
    assertTrue(nanos > 10 * MILLISECOND, nanos + " ns");
  }

  @Test
  void aHangEndsWithTheFaults() {
    Simulation simulation = simulation(4, new SimFaults(0, 0, 0, 1, 0, 0, 0));
    AioContext loop = simulation.newLoop("loop");
    MemorySegment buffer = arena.allocate(512);
    int[] ended = new int[1];
    loop.spawn(
        "writer",
        () -> {
          int fd = openFile(loop, "file");
          for (boolean hung = false; !hung; hung = simulation.isCalm()) {
            loop.io().write(fd, buffer, 0);
          }
          ended[0]++;
          loop.hostFiles().close(fd);
        });
    loop.spawn(
        "calm",
        () -> {
          while (simulation.disk().hangsUntilNanos() == 0) {
            loop.sleep(ClockType.REALTIME, MILLISECOND);
          }
          long hangsUntilNanos = simulation.disk().hangsUntilNanos();
          simulation.calmDown();
          loop.sleep(ClockType.REALTIME, MILLISECOND);
          assertEquals(1, ended[0]);
          assertTrue(simulation.nowNanos() < hangsUntilNanos);
        });
    toRest(simulation);
  }

  @Test
  void descriptorsRunOutAtTheLimit() {
    Simulation simulation = simulation(5, new SimFaults(0, 0, 0, 0, 4, 0, 0));
    AioContext loop = simulation.newLoop("loop");
    loop.spawn(
        "opener",
        () -> {
          List<Integer> open = new ArrayList<>();
          for (int i = 0; i < 4; i++) {
            open.add(openFile(loop, "file" + i));
          }
          ErrnoException refused =
              assertThrows(ErrnoException.class, () -> openFile(loop, "one too many"));
          assertEquals(Errno.EMFILE, refused.errno());
          loop.hostFiles().close(open.removeLast());
          open.add(openFile(loop, "another"));
          simulation.calmDown();
          open.add(openFile(loop, "one more"));
          for (int fd : open) {
            loop.hostFiles().close(fd);
          }
        });
    toRest(simulation);
    assertEquals(0, simulation.disk().openDescriptors());
  }

  @Test
  void spuriousReadinessIsSurvived() {
    Simulation simulation = simulation(6, new SimFaults(0, 0, 0, 0, 0, 50, 0));
    AioContext loop = simulation.newLoop("loop");
    int[] calls = new int[2];
    loop.spawn(
        "waiter",
        () -> {
          Coroutine self = Coroutine.current();
          FdWatch watch =
              loop.watch(
                  1000,
                  FdWatch.READABLE,
                  events -> {
                    int ready = simulation.readiness(1000);
                    calls[ready == 0 ? 0 : 1]++;
                    simulation.setReadiness(1000, 0);
                    self.wake();
                  });
          for (int i = 0; i < 50; i++) {
            int before = calls[1];
            loop.scheduleOnce("ready", () -> simulation.setReadiness(1000, FdWatch.READABLE));
            while (calls[1] == before) {
              Coroutine.suspend("descriptor");
            }
          }
          watch.remove();
        });
    toRest(simulation);
    assertEquals(50, calls[1]);
    assertTrue(calls[0] > 5, calls[0] + " calls for nothing");
  }

  @Test
  void aRequestThatIsGivenUpEndsOneWayOrTheOther() {
    TreeSet<Long> results = new TreeSet<>();
    for (long seed = 1; seed <= 20; seed++) {
      Simulation simulation = simulation(seed, SimFaults.NONE);
      AioContext loop = simulation.newLoop("loop");
      MemorySegment buffer = arena.allocate(512);
      loop.spawn(
          "parent",
          () -> {
            int fd = openFile(loop, "file");
            Coroutine child =
                loop.spawn("child", () -> results.add(loop.io().write(fd, buffer, 0)));
            Coroutine.yieldNow();
            child.requestCancel();
            child.join();
            loop.hostFiles().close(fd);
          });
      toRest(simulation);
    }
    assertEquals(new TreeSet<>(List.of(-(long) Errno.ECANCELED.number(), 512L)), results);
  }
}

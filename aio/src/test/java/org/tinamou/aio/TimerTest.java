package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ClockType;
import org.tinamou.base.SeededRandom;

@OnEveryPoller
class TimerTest {
  private final LoopRig rig;

  TimerTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  @Test
  void firesAtItsDeadlineAndNotBefore() throws Exception {
    rig.run(
        loop -> {
          for (ClockType clock : ClockType.values()) {
            int[] fired = new int[1];
            AioTimer timer = loop.timer(clock, "t", () -> fired[0]++);
            timer.armAt(rig.clocks.nanos(clock) + 100);
            rig.clocks.advance(99);
            LoopRig.settle();
            assertEquals(0, fired[0], clock + " before its time");
            assertTrue(timer.isArmed());
            rig.clocks.advance(1);
            LoopRig.settle();
            assertEquals(1, fired[0], clock + " at its time");
            assertFalse(timer.isArmed());
            rig.clocks.advance(1000);
            LoopRig.settle();
            assertEquals(1, fired[0], clock + " only once");
          }
        });
  }

  @Test
  void firesInOrderOfDeadlineAndThenOfArming() throws Exception {
    rig.run(
        loop -> {
          List<String> order = new ArrayList<>();
          SeededRandom random = new SeededRandom(1);
          List<AioTimer> timers = new ArrayList<>();
          List<String> expected = new ArrayList<>();
          long now = rig.clocks.nanos(ClockType.REALTIME);
          for (int deadline = 0; deadline < 20; deadline++) {
            for (int i = 0; i < 10; i++) {
              expected.add(deadline + "/" + i);
            }
          }
          List<Integer> deadlines = new ArrayList<>();
          int[] armed = new int[20];
          for (int i = 0; i < 200; i++) {
            deadlines.add(i / 10);
          }
          while (!deadlines.isEmpty()) {
            int deadline = deadlines.remove(random.nextInt(deadlines.size()));
            String name = deadline + "/" + armed[deadline]++;
            AioTimer timer = loop.timer(ClockType.REALTIME, name, () -> order.add(name));
            timer.armAt(now + 1 + deadline);
            timers.add(timer);
          }
          rig.clocks.advance(100);
          LoopRig.settle();
          assertEquals(expected, order);
        });
  }

  @Test
  void cancelledAndRearmedOnesKeepTheOthersInOrder() throws Exception {
    rig.run(
        loop -> {
          SeededRandom random = new SeededRandom(2);
          long[] lastFired = new long[1];
          int[] fired = new int[1];
          int[] owed = new int[1];
          List<AioTimer> timers = new ArrayList<>();
          for (int i = 0; i < 300; i++) {
            timers.add(
                loop.timer(
                    ClockType.REALTIME,
                    "t" + i,
                    () -> {
                      fired[0]++;
                      assertTrue(rig.clocks.nanos(ClockType.REALTIME) >= lastFired[0]);
                    }));
          }
          for (int round = 0; round < 3000; round++) {
            AioTimer timer = timers.get(random.nextInt(timers.size()));
            if (random.chance(1, 3)) {
              owed[0] -= timer.isArmed() ? 1 : 0;
              timer.cancel();
              timer.cancel();
              assertFalse(timer.isArmed());
            } else {
              owed[0] += timer.isArmed() ? 0 : 1;
              timer.armIn(1 + random.nextInt(1000));
            }
          }
          rig.clocks.advance(1000);
          LoopRig.settle();
          assertEquals(owed[0], fired[0]);
        });
  }

  @Test
  void virtualTimersStandStillWhileTheirClockIsStopped() throws Exception {
    rig.run(
        loop -> {
          List<String> fired = new ArrayList<>();
          AioTimer guest = loop.timer(ClockType.VIRTUAL, "guest", () -> fired.add("guest"));
          AioTimer real = loop.timer(ClockType.REALTIME, "real", () -> fired.add("real"));
          guest.armIn(100);
          real.armIn(100);
          rig.clocks.setVirtualRunning(false);
          rig.clocks.advance(1_000);
          LoopRig.settle();
          assertEquals(List.of("real"), fired);
          rig.clocks.setVirtualRunning(true);
          rig.clocks.advance(99);
          LoopRig.settle();
          assertEquals(List.of("real"), fired);
          rig.clocks.advance(1);
          LoopRig.settle();
          assertEquals(List.of("real", "guest"), fired);
        });
  }

  @Test
  void dueVirtualTimerWaitsForItsClockToStart() throws Exception {
    rig.run(
        loop -> {
          int[] fired = new int[1];
          rig.clocks.setVirtualRunning(false);
          loop.timer(ClockType.VIRTUAL, "due", () -> fired[0]++).armIn(0);
          LoopRig.settle();
          assertEquals(0, fired[0]);
          rig.clocks.setVirtualRunning(true);
          LoopRig.settle();
          assertEquals(1, fired[0]);
        });
  }

  @Test
  void jumpOfTheHostClockMovesHostTimersOnly() throws Exception {
    rig.run(
        loop -> {
          List<String> fired = new ArrayList<>();
          loop.timer(ClockType.HOST, "host", () -> fired.add("host")).armIn(1_000_000);
          AioTimer real = loop.timer(ClockType.REALTIME, "real", () -> fired.add("real"));
          real.armIn(1_000_000);
          rig.clocks.jumpHost(-500_000);
          rig.clocks.advance(999_999);
          LoopRig.settle();
          assertEquals(List.of(), fired);
          rig.clocks.jumpHost(500_001);
          LoopRig.settle();
          assertEquals(List.of("host"), fired);
          real.cancel();
        });
  }

  @Test
  void aWaitingLoopNoticesThatAClockChanged() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    var slept =
        loop.submit(
            "sleeper",
            () -> {
              loop.sleep(ClockType.VIRTUAL, 3_600_000_000_000L);
              loop.sleep(ClockType.HOST, 3_600_000_000_000L);
              return true;
            });
    LoopRig.spinUntil(() -> loop.turn().isWaiting() && loop.dump().size() >= 2);
    rig.clocks.setVirtualRunning(false);
    rig.clocks.setVirtualRunning(true);
    rig.clocks.advance(3_600_000_000_000L);
    LoopRig.spinUntil(() -> loop.dump().toString().contains("HOST"));
    rig.clocks.jumpHost(3_600_000_000_000L);
    assertTrue(slept.get());
  }

  @Test
  void callbackRearmsItselfWithoutStarvingTheLoop() throws Exception {
    rig.run(
        loop -> {
          int[] fired = new int[1];
          long[] lastTurn = new long[1];
          AioTimer[] self = new AioTimer[1];
          self[0] =
              loop.timer(
                  ClockType.REALTIME,
                  "again",
                  () -> {
                    assertTrue(loop.turn().turns() > lastTurn[0] || fired[0] == 0);
                    lastTurn[0] = loop.turn().turns();
                    if (++fired[0] < 50) {
                      self[0].armIn(0);
                    }
                  });
          self[0].armIn(0);
          LoopRig.turnUntil(() -> fired[0] == 50);
        });
  }

  @Test
  void callbackCancelsADueNeighbour() throws Exception {
    rig.run(
        loop -> {
          int[] fired = new int[1];
          AioTimer[] pair = new AioTimer[2];
          for (int i = 0; i < 2; i++) {
            int other = 1 - i;
            pair[i] =
                loop.timer(
                    ClockType.REALTIME,
                    "rival" + i,
                    () -> {
                      fired[0]++;
                      pair[other].cancel();
                    });
            pair[i].armIn(5);
          }
          rig.clocks.advance(5);
          LoopRig.settle();
          assertEquals(1, fired[0]);
        });
  }

  @Test
  void farDeadlinesNeverComeAndNeverSpin() throws Exception {
    rig.run(
        loop -> {
          AioTimer never = loop.timer(ClockType.REALTIME, "never", () -> {});
          never.armIn(Long.MAX_VALUE);
          assertTrue(never.isArmed());
          LoopRig.settle();
          never.armAt(Long.MAX_VALUE);
          LoopRig.settle();
          assertTrue(never.isArmed());
          never.cancel();
        });
  }

  @Test
  void belongsToItsHomeThread() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    loop.submit("start", () -> true).get();
    AioTimer timer = loop.timer(ClockType.REALTIME, "foreign", () -> {});
    assertThrows(IllegalStateException.class, () -> timer.armIn(1));
  }

  @Test
  void s3_wakeUpBeforeTheSleepIsArmedDoesNotEndItEarly() throws Exception {
    rig.run(
        loop -> {
          Coroutine self = Coroutine.current();
          self.wake();
          long before = rig.clocks.nanos(ClockType.REALTIME);
          loop.scheduleOnce("strayWake", self::wake);
          loop.scheduleOnce("time", () -> rig.clocks.advance(100));
          loop.sleep(ClockType.REALTIME, 100);
          assertEquals(before + 100, rig.clocks.nanos(ClockType.REALTIME));
        });
  }

  @Test
  void closedLoopForgetsTheClocks() throws Exception {
    int before = rig.clocks.listeners();
    rig.run(loop -> assertEquals(before + 1, rig.clocks.listeners()));
    assertEquals(before, rig.clocks.listeners());
  }
}

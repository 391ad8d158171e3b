package org.tinamou.testkit.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.aio.AioContext;
import org.tinamou.base.ClockType;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleLimit;
import org.tinamou.block.throttle.ThrottleMember;
import org.tinamou.testkit.sim.Simulation;

/**
 * When requests go, to the millisecond of simulated time, whatever order the seed gives to
 * everything that happens at once.
 */
final class ThrottleRatesTest {
  private static final long KIB = 1 << 10;
  private static final long MIB = 1 << 20;
  private static final long STEPS = 5_000_000;

  private final List<Long> passedNanos = new ArrayList<>();
  private Simulation simulation;
  private ThrottleGroup group;
  private long startNanos;

  private void start(long seed, ThrottleConfig config) {
    simulation = new Simulation(seed, false);
    group = new ThrottleGroup("g", simulation.clocks(), config);
    startNanos = now();
  }

  private long now() {
    return simulation.clocks().nanos(ClockType.VIRTUAL);
  }

  private void toRest() {
    assertTrue(simulation.run(STEPS), "still busy");
    simulation.checkAtRest();
  }

  private void close(ThrottleMember... members) {
    for (ThrottleMember member : members) {
      member.leave();
    }
    simulation.closeLoops();
  }

  /** Starts somebody who sends requests one after another and notes when each went. */
  private void sender(
      AioContext loop, ThrottleMember member, int count, long size, boolean isWrite) {
    loop.spawn(
        "sender",
        () -> {
          for (int i = 0; i < count; i++) {
            assertTrue(member.intercept(size, isWrite));
            passedNanos.add(now() - startNanos);
          }
        });
  }

  /** The time at which the k-th request of the same size goes, counted from 0. */
  private static double seconds(int k, double size, double average, double bucket) {
    return Math.max(0, (k * size - bucket) / average);
  }

  private void assertPassed(int index, double seconds) {
    assertEquals(seconds * 1e3, passedNanos.get(index) / 1e6, 1, "request " + index);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void bytesPerSecond(long seed) {
    start(seed, ThrottleConfig.UNLIMITED.withBytesTotal(ThrottleLimit.of(MIB)));
    AioContext loop = simulation.newLoop("a");
    ThrottleMember member = group.join("disk", loop);
    sender(loop, member, 200, 64 * KIB, true);
    toRest();
    for (int k = 0; k < 200; k++) {
      assertPassed(k, seconds(k, 64 * KIB, MIB, MIB / 10.0));
    }
    close(member);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void requestsPerSecondBySize(long seed) {
    ThrottleConfig config =
        ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(10)).withRequestBytes(4096);
    for (long size : new long[] {512, 4096, 6144, 8192}) {
      passedNanos.clear();
      start(seed, config);
      AioContext loop = simulation.newLoop("a");
      ThrottleMember member = group.join("disk", loop);
      sender(loop, member, 30, size, false);
      toRest();
      for (int k = 0; k < 30; k++) {
        assertPassed(k, seconds(k, Math.max(1, size / 4096.0), 10, 1));
      }
      close(member);
    }
  }

  @Test
  void aBurstAndThenTheAverage() {
    start(1, ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(100, 2000, 3)));
    AioContext loop = simulation.newLoop("a");
    ThrottleMember member = group.join("disk", loop);
    sender(loop, member, 7000, 4096, true);
    toRest();
    // 200 at once, then 2,000 a second until 6,000 are there that have not leaked.
    assertPassed(200, 0);
    for (int k = 201; k < 6200; k += 7) {
      assertPassed(k, (k - 200) / 2000.0);
    }
    for (int k = 6400; k < 7000; k += 7) {
      assertPassed(k, (k - 6000) / 100.0);
    }
    close(member);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void membersOnSeveralLoopsTakeTurns(long seed) {
    start(seed, ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(1000)));
    int[] passed = new int[3];
    ThrottleMember[] members = new ThrottleMember[3];
    int perMember = 400;
    for (int i = 0; i < 3; i++) {
      int number = i;
      AioContext loop = simulation.newLoop("loop" + i);
      members[i] = group.join("disk" + i, loop);
      // Unequal numbers of senders, equal shares.
      for (int j = 0; j < 1 << i; j++) {
        loop.spawn(
            "sender",
            () -> {
              while (passed[number] < perMember) {
                members[number].intercept(4096, true);
                passed[number]++;
                passedNanos.add(now() - startNanos);
                int fewest = Math.min(passed[0], Math.min(passed[1], passed[2]));
                boolean allBusy = passed[0] + passed[1] + passed[2] > 300 && fewest < perMember;
                assertTrue(
                    !allBusy || passed[number] <= fewest + 110,
                    () -> "shares: " + java.util.Arrays.toString(passed));
              }
            });
      }
    }
    toRest();
    int total = passed[0] + passed[1] + passed[2];
    for (int k = 0; k < total; k++) {
      assertPassed(k, seconds(k, 1, 1000, 100));
    }
    close(members);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void readsAndWritesHaveLimitsOfTheirOwn(long seed) {
    start(
        seed, ThrottleConfig.UNLIMITED.withRequests(ThrottleLimit.of(100), ThrottleLimit.of(200)));
    AioContext loop = simulation.newLoop("a");
    ThrottleMember member = group.join("disk", loop);
    sender(loop, member, 100, 512, false);
    toRest();
    assertPassed(99, seconds(99, 1, 100, 10));
    passedNanos.clear();
    startNanos = now();
    sender(loop, member, 100, 512, true);
    toRest();
    assertPassed(99, seconds(99, 1, 200, 20));
    close(member);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void neitherReadsNorWritesStarveUnderACommonLimit(long seed) {
    start(seed, ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(100)));
    AioContext loop = simulation.newLoop("a");
    ThrottleMember member = group.join("disk", loop);
    long[] ends = new long[2];
    for (int i = 0; i < 2; i++) {
      boolean isWrite = i == 1;
      loop.spawn(
          "sender",
          () -> {
            for (int j = 0; j < 200; j++) {
              member.intercept(512, isWrite);
              passedNanos.add(now() - startNanos);
            }
            ends[isWrite ? 1 : 0] = now() - startNanos;
          });
    }
    toRest();
    // Two requests may go at the same time, one in each direction; the rate is kept all the same.
    assertEquals(seconds(399, 1, 100, 10), passedNanos.get(399) / 1e9, 0.011);
    // Whoever comes first has the bucket for himself, which is worth eleven requests.
    assertEquals(ends[0] / 1e9, ends[1] / 1e9, 0.13);
    close(member);
  }

  /** The one who comes just when a waiting request may go, before its timer has fired. */
  @Test
  void nobodyOvertakesWhoWaits() {
    for (long seed = 1; seed <= 100; seed++) {
      start(seed, ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(10)));
      AioContext loop = simulation.newLoop("a");
      AioContext other = simulation.newLoop("b");
      ThrottleMember member = group.join("disk", loop);
      List<String> order = new ArrayList<>();
      loop.spawn(
          "first",
          () -> {
            member.intercept(512, true);
            long due = now() + 100_000_000;
            other.spawn(
                "late",
                () -> {
                  other.sleep(ClockType.VIRTUAL, due + 2_000 - now());
                  member.intercept(512, true);
                  order.add("late " + (now() - due) / 90_000_000);
                });
            member.intercept(512, true);
            member.intercept(512, true);
            order.add("first " + (now() - due) / 90_000_000);
          });
      toRest();
      assertEquals(List.of("first 0", "late 1"), order, "seed " + seed);
      close(member);
    }
  }

  @Test
  void nothingGoesWhileVirtualTimeStandsStill() {
    start(4, ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(10)));
    AioContext loop = simulation.newLoop("a");
    ThrottleMember member = group.join("disk", loop);
    sender(loop, member, 5, 512, true);
    loop.spawn(
        "stop",
        () -> {
          loop.sleep(ClockType.REALTIME, 50_000_000);
          simulation.clocks().setVirtualRunning(false);
        });
    assertTrue(simulation.run(STEPS));
    assertEquals(2, passedNanos.size());
    assertEquals(1, member.waiting(true));
    simulation.clocks().setVirtualRunning(true);
    toRest();
    for (int k = 0; k < 5; k++) {
      assertPassed(k, seconds(k, 1, 10, 1));
    }
    close(member);
  }

  @Test
  void otherLimitsHoldAtOnce() {
    start(5, ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(1)));
    AioContext loop = simulation.newLoop("a");
    AioContext other = simulation.newLoop("b");
    ThrottleMember member = group.join("disk", loop);
    sender(loop, member, 60, 512, true);
    other.spawn(
        "tune",
        () -> {
          other.sleep(ClockType.VIRTUAL, 500_000_000);
          group.configure(ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(100)));
        });
    toRest();
    assertPassed(0, 0);
    assertPassed(1, 0.5);
    for (int k = 1; k < 60; k++) {
      assertPassed(k, 0.5 + seconds(k - 1, 1, 100, 10));
    }
    group.configure(ThrottleConfig.UNLIMITED);
    startNanos = now();
    passedNanos.clear();
    sender(loop, member, 100, 512, true);
    toRest();
    assertPassed(99, 0);
    close(member);
  }
}

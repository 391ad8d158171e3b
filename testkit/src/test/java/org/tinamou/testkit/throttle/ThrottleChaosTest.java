package org.tinamou.testkit.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.SeededRandom;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleLimit;
import org.tinamou.block.throttle.ThrottleMember;
import org.tinamou.testkit.sim.Simulation;

/**
 * Random members, limits and requests while somebody drains, moves, cancels and tunes: nobody waits
 * for ever, and limits that nobody lifts are kept.
 */
final class ThrottleChaosTest {
  private static final int SEEDS = 400;
  private static final long MAX_REQUEST_BYTES = 1 << 20;

  /** One seed. */
  private static final class Run {
    final Simulation simulation;
    final SeededRandom random;
    final ThrottleGroup group;
    final ThrottleConfig config;
    final List<AioContext> loops = new ArrayList<>();
    final List<AioContext> homes = new ArrayList<>();
    final List<ThrottleMember> members = new ArrayList<>();
    final List<Coroutine> senders = new ArrayList<>();
    final boolean disturbed;
    final long startNanos;
    long bytes;
    long requests;
    int unfinished;

    Run(long seed) {
      simulation = new Simulation(seed, false);
      random = simulation.random().fork();
      disturbed = random.nextBoolean();
      config = drawConfig();
      group = new ThrottleGroup("g", simulation.clocks(), config);
      startNanos = now();
    }

    long now() {
      return simulation.clocks().nanos(ClockType.VIRTUAL);
    }

    ThrottleConfig drawConfig() {
      long bytesPerSecond = 1L << (16 + random.nextInt(8));
      long burst = random.nextBoolean() ? 0 : bytesPerSecond * (1 + random.nextInt(4));
      long seconds = burst == 0 ? 1 : 1 + random.nextInt(3);
      ThrottleConfig drawn =
          ThrottleConfig.UNLIMITED.withBytesTotal(ThrottleLimit.of(bytesPerSecond, burst, seconds));
      if (random.nextBoolean()) {
        drawn =
            drawn.withRequests(
                ThrottleLimit.of(1 + random.nextInt(500)),
                ThrottleLimit.of(1 + random.nextInt(500)));
      }
      return drawn;
    }

    void run() {
      for (int i = 0; i < 1 + random.nextInt(4); i++) {
        loops.add(simulation.newLoop("loop" + i));
      }
      for (int i = 0; i < 1 + random.nextInt(4); i++) {
        AioContext home = anyLoop();
        homes.add(home);
        members.add(group.join("m" + i, home));
        for (int j = 0; j < 1 + random.nextInt(3); j++) {
          spawnSender(members.get(i));
        }
      }
      if (disturbed) {
        loops.getFirst().spawn("disturber", this::disturb);
      }
      assertTrue(simulation.run(3_000_000), "still busy");
      assertEquals(0, unfinished);
      simulation.checkAtRest();
      members.forEach(ThrottleMember::leave);
      simulation.closeLoops();
    }

    AioContext anyLoop() {
      return loops.get(random.nextInt(loops.size()));
    }

    void spawnSender(ThrottleMember member) {
      unfinished++;
      AioContext loop = anyLoop();
      senders.add(
          loop.spawn(
              "sender",
              () -> {
                for (int i = random.nextInt(12); i >= 0; i--) {
                  long size = random.nextLong(MAX_REQUEST_BYTES);
                  boolean went = member.intercept(size, random.nextBoolean());
                  assertEquals(loop, AioContext.currentOrNull());
                  assertTrue(went || disturbed);
                  check(size);
                  if (random.chance(1, 4)) {
                    loop.sleep(ClockType.VIRTUAL, random.nextLong(2_000_000_000L));
                  }
                }
                unfinished--;
              }));
    }

    /** What has gone is what fits into the bucket and has leaked, and a request a direction. */
    void check(long size) {
      bytes += size;
      requests++;
      if (disturbed) {
        return;
      }
      ThrottleLimit limit = config.bytesTotal();
      double seconds = (now() - startNanos) / 1e9;
      double bucket =
          limit.burst() == 0 ? limit.average() / 10.0 : limit.burst() * limit.burstSeconds();
      double most = limit.average() * seconds + bucket + 2 * MAX_REQUEST_BYTES;
      assertTrue(bytes <= most, () -> bytes + " bytes went where " + most + " may");
      double average = config.requestsRead().average() + config.requestsWrite().average();
      assertTrue(average == 0 || requests <= average * seconds + average / 10 + 2);
    }

    void disturb() {
      AioContext loop = Coroutine.current().context();
      for (int i = random.nextInt(12); i >= 0; i--) {
        loop.sleep(ClockType.VIRTUAL, random.nextLong(1_000_000_000L));
        int number = random.nextInt(members.size());
        ThrottleMember member = members.get(number);
        switch (random.nextInt(5)) {
          case 0 -> senders.get(random.nextInt(senders.size())).requestCancel();
          case 1 -> member.cancelWaiting();
          case 2 -> group.configure(drawConfig());
          default -> drainAndMove(number, loop);
        }
      }
    }

    void drainAndMove(int number, AioContext loop) {
      ThrottleMember member = members.get(number);
      boolean drained = random.nextBoolean();
      if (drained) {
        member.disableLimits();
        loop.sleep(ClockType.VIRTUAL, random.nextLong(1_000_000L));
        assertEquals(0, member.waiting(true) + member.waiting(false));
      }
      Coroutine.moveTo(homes.get(number));
      member.detachFromContext();
      homes.set(number, anyLoop());
      Coroutine.moveTo(homes.get(number));
      member.attachToContext(homes.get(number));
      Coroutine.moveTo(loop);
      if (drained) {
        member.enableLimits();
      }
    }
  }

  @Test
  void nobodyWaitsForEverAndLimitsAreKept() {
    for (long seed = 1; seed <= SEEDS; seed++) {
      try {
        new Run(seed).run();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed, e);
      }
    }
  }
}

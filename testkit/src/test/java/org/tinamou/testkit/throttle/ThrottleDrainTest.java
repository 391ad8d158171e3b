package org.tinamou.testkit.throttle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.block.throttle.ThrottleConfig;
import org.tinamou.block.throttle.ThrottleGroup;
import org.tinamou.block.throttle.ThrottleLimit;
import org.tinamou.block.throttle.ThrottleMember;
import org.tinamou.testkit.sim.Simulation;

/** Members that are drained, moved, cancelled and taken out while requests wait. */
final class ThrottleDrainTest {
  private static final long MILLISECOND = 1_000_000;
  private static final ThrottleConfig TEN_A_SECOND =
      ThrottleConfig.UNLIMITED.withRequestsTotal(ThrottleLimit.of(10));

  private final List<String> passed = new ArrayList<>();
  private Simulation simulation;
  private ThrottleGroup group;

  private void start(long seed) {
    simulation = new Simulation(seed, false);
    group = new ThrottleGroup("g", simulation.clocks(), TEN_A_SECOND);
  }

  private Coroutine request(AioContext loop, ThrottleMember member, String name) {
    return loop.spawn(
        name,
        () -> {
          boolean went = member.intercept(512, true);
          long milliseconds =
              (simulation.clocks().nanos(ClockType.VIRTUAL) + MILLISECOND / 2) / MILLISECOND;
          passed.add((went ? "" : "not ") + name + "@" + milliseconds);
        });
  }

  private void toRest() {
    assertTrue(simulation.run(1_000_000), "still busy");
    simulation.checkAtRest();
  }

  private static void move(ThrottleMember member, AioContext from, AioContext to) {
    AioContext home = Coroutine.current().context();
    Coroutine.moveTo(from);
    member.detachFromContext();
    Coroutine.moveTo(to);
    member.attachToContext(to);
    Coroutine.moveTo(home);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void aDrainedMemberLetsEverythingGo(long seed) {
    start(seed);
    AioContext main = simulation.newLoop("main");
    AioContext loop = simulation.newLoop("io");
    ThrottleMember a = group.join("a", loop);
    ThrottleMember b = group.join("b", main);
    main.spawn(
        "test",
        () -> {
          main.sleep(ClockType.VIRTUAL, 10 * MILLISECOND);
          for (int i = 0; i < 4; i++) {
            request(loop, a, "a" + i);
            main.sleep(ClockType.VIRTUAL, MILLISECOND);
          }
          request(main, b, "b0");
          main.sleep(ClockType.VIRTUAL, MILLISECOND);
          assertEquals(2, a.waiting(true));
          a.disableLimits();
          a.disableLimits();
          request(loop, a, "a4");
          main.sleep(ClockType.VIRTUAL, 5 * MILLISECOND);
          a.enableLimits();
          request(loop, a, "a5");
          main.sleep(ClockType.VIRTUAL, 5 * MILLISECOND);
          a.enableLimits();
          request(loop, a, "a6");
        });
    toRest();
    // Two go at once, two when the member is drained, and so do two more. b0 waits for five units
    // too many, from the time of the drain on; a6 for its turn after that.
    assertEquals(List.of("a0@10", "a1@11"), passed.subList(0, 2));
    List<String> released = new ArrayList<>(passed.subList(2, 4));
    released.sort(null);
    assertEquals(List.of("a2@15", "a3@15"), released);
    assertEquals(List.of("a4@15", "a5@20"), passed.subList(4, 6));
    assertEquals("b0@310", passed.get(6));
    assertEquals("a6@610", passed.get(7));
    a.leave();
    b.leave();
    simulation.closeLoops();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void aMemberMovesInsideADrainedSection(long seed) {
    start(seed);
    AioContext main = simulation.newLoop("main");
    AioContext from = simulation.newLoop("from");
    AioContext to = simulation.newLoop("to");
    ThrottleMember member = group.join("a", from);
    ThrottleMember other = group.join("b", main);
    for (int i = 0; i < 5; i++) {
      request(from, member, "early" + i);
      request(main, other, "other" + i);
    }
    main.spawn(
        "test",
        () -> {
          main.sleep(ClockType.VIRTUAL, 30 * MILLISECOND);
          member.disableLimits();
          assertEquals(0, member.waiting(true));
          move(member, from, to);
          member.enableLimits();
          assertEquals(List.of(), from.dump(), "nothing remains in the old loop");
          request(to, member, "late");
        });
    toRest();
    assertEquals(11, passed.size(), passed::toString);
    assertTrue(passed.getLast().startsWith("other") || passed.getLast().startsWith("late"));
    member.leave();
    other.leave();
    simulation.closeLoops();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void waitingRequestsSurviveAMove(long seed) {
    start(seed);
    AioContext main = simulation.newLoop("main");
    AioContext from = simulation.newLoop("from");
    AioContext to = simulation.newLoop("to");
    ThrottleMember member = group.join("a", from);
    for (int i = 0; i < 4; i++) {
      request(main, member, "r" + i);
    }
    main.spawn(
        "test",
        () -> {
          main.sleep(ClockType.VIRTUAL, 30 * MILLISECOND);
          assertEquals(2, member.waiting(true));
          move(member, from, to);
          assertEquals(List.of(), from.dump());
          assertEquals(1, to.dump().size(), "one timer, for one direction");
        });
    toRest();
    assertEquals(List.of("@0", "@0", "@100", "@200"), times());
    member.leave();
    simulation.closeLoops();
  }

  private List<String> times() {
    return passed.stream().map(each -> each.substring(each.indexOf('@'))).toList();
  }

  @Test
  void aCancelledRequestMakesWay() {
    start(3);
    AioContext loop = simulation.newLoop("a");
    ThrottleMember member = group.join("a", loop);
    ThrottleMember other = group.join("b", loop);
    loop.spawn(
        "test",
        () -> {
          List<Coroutine> all = new ArrayList<>();
          for (int i = 0; i < 5; i++) {
            all.add(request(loop, member, "r" + i));
            loop.sleep(ClockType.VIRTUAL, MILLISECOND);
          }
          request(loop, other, "o");
          loop.sleep(ClockType.VIRTUAL, 15 * MILLISECOND);
          all.get(3).requestCancel();
          loop.sleep(ClockType.VIRTUAL, 10 * MILLISECOND);
          member.cancelWaiting();
          assertFalse(member.waiting(true) > 0);
          request(loop, member, "late");
        });
    toRest();
    assertEquals(
        List.of("r0@0", "r1@1", "not r3@20", "not r2@30", "not r4@30", "o@100", "late@200"),
        passed);
    member.leave();
    other.leave();
    simulation.closeLoops();
  }

  @Test
  void cancellingWhomeverTheTimerIsForPassesTheTurnOn() {
    start(3);
    AioContext loop = simulation.newLoop("a");
    AioContext other = simulation.newLoop("b");
    ThrottleMember a = group.join("a", loop);
    ThrottleMember b = group.join("b", other);
    loop.spawn(
        "test",
        () -> {
          a.intercept(512, true);
          a.intercept(512, true);
          Coroutine first = request(loop, a, "a");
          loop.sleep(ClockType.VIRTUAL, MILLISECOND);
          request(other, b, "b");
          loop.sleep(ClockType.VIRTUAL, MILLISECOND);
          first.requestCancel();
        });
    toRest();
    assertEquals(List.of("not a@2", "b@100"), passed);
    a.leave();
    b.leave();
    simulation.closeLoops();
  }
}

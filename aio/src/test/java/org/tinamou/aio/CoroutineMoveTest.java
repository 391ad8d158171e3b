package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ClockType;
import org.tinamou.base.SeededRandom;

@OnEveryPoller
class CoroutineMoveTest {
  private final LoopRig rig;

  CoroutineMoveTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private static void assertRunsOn(AioContext loop) {
    assertSame(loop, Coroutine.current().context());
    assertSame(loop, AioContext.currentOrNull());
    assertTrue(loop.isHome());
    assertEquals(loop.homeThread().getName(), Probe.carrierName());
  }

  /** Which platform thread carries the caller. */
  private static final class Probe {
    /** The text of a virtual thread ends with the name of its carrier. */
    static String carrierName() {
      String text = Thread.currentThread().toString();
      return text.substring(text.lastIndexOf('@') + 1);
    }
  }

  @Test
  void runsOnTheTargetsThreadAfterwards() throws Exception {
    AioContext one = rig.startThread("one").context();
    AioContext two = rig.startThread("two").context();
    assertTrue(
        one.submit(
                "traveller",
                () -> {
                  for (int i = 0; i < 2_000; i++) {
                    Coroutine.moveTo(two);
                    assertRunsOn(two);
                    Coroutine.yieldNow();
                    assertRunsOn(two);
                    Coroutine.moveTo(one);
                    assertRunsOn(one);
                    Coroutine.moveTo(one);
                    assertRunsOn(one);
                  }
                  return true;
                })
            .get());
  }

  /** A wake-up that came before the move leaves a permit, which must not cut the move short. */
  @Test
  void staleWakeUpsDoNotDisturbAMove() throws Exception {
    AioContext one = rig.startThread("one").context();
    AioContext two = rig.startThread("two").context();
    AtomicBoolean end = new AtomicBoolean();
    Coroutine[] traveller = new Coroutine[1];
    var done =
        one.submit(
            "traveller",
            () -> {
              Coroutine self = Coroutine.current();
              traveller[0] = self;
              for (int i = 0; i < 20_000; i++) {
                self.wake();
                AioContext target = i % 2 == 0 ? two : one;
                Coroutine.moveTo(target);
                assertSame(target, AioContext.currentOrNull());
              }
              return true;
            });
    Thread waker =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!end.get()) {
                    Coroutine known = traveller[0];
                    if (known != null) {
                      known.wake();
                      known.thread().getStackTrace();
                    }
                  }
                });
    assertTrue(done.get());
    end.set(true);
    waker.join();
  }

  @Test
  void nothingRemainsWithTheOldLoop() throws Exception {
    AioContext far = rig.startThread("far").context();
    rig.run(
        loop -> {
          AtomicBoolean end = new AtomicBoolean();
          Coroutine traveller =
              loop.spawn(
                  "traveller",
                  () -> {
                    Coroutine.moveTo(far);
                    LoopRig.turnUntil(end::get);
                  });
          LoopRig.turnUntil(() -> traveller.context() == far);
          LoopRig.settle();
          assertEquals(List.of("coroutine test"), loop.dump());
          assertEquals(1, loop.liveCoroutines());
          end.set(true);
          traveller.join();
        });
  }

  @Test
  void aLockTravelsWithItsHolder() throws Exception {
    AioContext one = rig.startThread("one").context();
    AioContext two = rig.startThread("two").context();
    CoMutex mutex = new CoMutex("shared");
    AtomicInteger inside = new AtomicInteger();
    int[] unguarded = new int[1];
    List<Coroutine> all = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      SeededRandom random = new SeededRandom(i);
      all.add(
          (i % 2 == 0 ? one : two)
              .spawn(
                  "holder" + i,
                  () -> {
                    for (int round = 0; round < 500; round++) {
                      mutex.lock();
                      assertEquals(1, inside.incrementAndGet());
                      int seen = unguarded[0];
                      Coroutine.moveTo(random.nextBoolean() ? one : two);
                      assertSame(Coroutine.current(), mutex.holder());
                      unguarded[0] = seen + 1;
                      inside.decrementAndGet();
                      mutex.unlock();
                    }
                  }));
    }
    LoopRig.spinUntil(() -> all.stream().allMatch(Coroutine::isEnded));
    assertEquals(4_000, unguarded[0]);
  }

  @Test
  void s26_moveOfAPinnedCoroutineIsRefusedAndLeavesAllAsItWas() throws Exception {
    AioContext far = rig.startThread("far").context();
    rig.run(
        loop -> {
          List<String> before = loop.dump();
          String refusal = Pinned.run(() -> Coroutine.moveTo(far));
          assertTrue(refusal.contains("coroutine test cannot leave main: it is pinned"), refusal);
          assertRunsOn(loop);
          assertEquals(before, loop.dump());
          assertEquals(1, loop.liveCoroutines());
          // It can still do everything, and move once it is not pinned.
          Coroutine.yieldNow();
          loop.sleep(ClockType.REALTIME, 0);
          Coroutine.moveTo(far);
          assertRunsOn(far);
          Coroutine.moveTo(loop);
        });
  }

  @Test
  void aMoveToAClosedLoopIsRefusedAndLeavesAllAsItWas() throws Exception {
    IoThread thread = rig.startThread("closed");
    thread.close();
    rig.run(
        loop -> {
          for (int i = 0; i < 10; i++) {
            IllegalStateException refusal =
                assertThrows(IllegalStateException.class, () -> Coroutine.moveTo(thread.context()));
            assertTrue(refusal.getMessage().contains("closed is closed"), refusal.getMessage());
            assertRunsOn(loop);
            assertEquals(1, loop.liveCoroutines());
            Coroutine.yieldNow();
          }
        });
  }

  @Test
  void aLoopThatIsClosedWhileCoroutinesComeLosesNone() throws Exception {
    AioContext home = rig.startThread("home").context();
    for (int round = 0; round < 200; round++) {
      IoThread thread = rig.startThread("target");
      List<CompletableFuture<Integer>> travellers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        travellers.add(home.submit("traveller", () -> travelUntilClosed(home, thread.context())));
      }
      while (!thread.context().isClosed()) {
        try {
          thread.close();
        } catch (IllegalStateException inUse) {
          assertTrue(
              inUse.getMessage().contains("traveller")
                  || inUse.getMessage().contains("queued tasks"),
              inUse.getMessage());
        }
      }
      for (CompletableFuture<Integer> each : travellers) {
        assertTrue(each.get() >= 0);
      }
    }
  }

  private static int travelUntilClosed(AioContext home, AioContext target) {
    int moves = 0;
    try {
      while (true) {
        Coroutine.moveTo(target);
        moves++;
        Coroutine.moveTo(home);
      }
    } catch (IllegalStateException targetClosed) {
      assertSame(home, AioContext.currentOrNull());
      return moves;
    }
  }

  /** A late duplicate of a resumption, in the target's queue before the coroutine gets there. */
  @Test
  void aPinnedMoveIsNotTakenForARealOneBecauseOfADuplicate() throws Exception {
    AioContext one = rig.startThread("one").context();
    AioContext two = rig.startThread("two").context();
    Coroutine[] traveller = new Coroutine[1];
    var done =
        one.submit(
            "traveller",
            () -> {
              traveller[0] = Coroutine.current();
              for (int i = 0; i < 2_000; i++) {
                String refusal = Pinned.run(() -> Coroutine.moveTo(two));
                assertTrue(refusal.contains("pinned"), refusal);
                assertSame(one, AioContext.currentOrNull());
                assertTrue(two.dump().stream().noneMatch(line -> line.contains("traveller")));
                Coroutine.yieldNow();
              }
              return true;
            });
    LoopRig.spinUntil(() -> traveller[0] != null);
    while (!done.isDone()) {
      // What getStackTrace does when the thread went on meanwhile, only more often.
      Coroutine.Resumption resumption = traveller[0].resumption;
      resumption.execute(resumption.continuation);
    }
    assertTrue(done.get());
  }
}

package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.poller.PollerKind;

@OnEveryPoller
class BottomHalfTest {
  private final LoopRig rig;

  BottomHalfTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  @Test
  void runsOnceForAllTheTimesItWasScheduledWhilePending() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          BottomHalf bottomHalf = loop.bottomHalf("counted", () -> runs[0]++);
          for (int i = 0; i < 5; i++) {
            bottomHalf.schedule();
          }
          assertTrue(bottomHalf.isScheduled());
          assertEquals(0, runs[0], "never from inside of schedule");
          LoopRig.settle();
          assertEquals(1, runs[0]);
          assertFalse(bottomHalf.isScheduled());
        });
  }

  @Test
  void isReusable() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          BottomHalf bottomHalf = loop.bottomHalf("again", () -> runs[0]++);
          for (int i = 1; i <= 100; i++) {
            bottomHalf.schedule();
            LoopRig.settle();
            assertEquals(i, runs[0]);
          }
        });
  }

  @Test
  void oneShotsRunOnceEach() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          for (int i = 0; i < 1000; i++) {
            loop.scheduleOnce("once", () -> runs[0]++);
          }
          LoopRig.settle();
          assertEquals(1000, runs[0]);
        });
  }

  @Test
  void runsOnTheHomeThreadOutsideOfAnyCoroutine() throws Exception {
    rig.run(
        loop -> {
          Thread home = loop.homeThread();
          List<Object> seen = new ArrayList<>();
          loop.scheduleOnce(
              "where",
              () -> {
                seen.add(Thread.currentThread());
                seen.add(AioContext.currentOrNull());
                assertEquals(null, Coroutine.currentOrNull());
              });
          LoopRig.settle();
          assertEquals(List.of(home, loop), seen);
        });
  }

  @Test
  void cancelTakesAPendingOneBack() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          BottomHalf bottomHalf = loop.bottomHalf("cancelled", () -> runs[0]++);
          assertFalse(bottomHalf.cancel());
          bottomHalf.schedule();
          assertTrue(bottomHalf.cancel());
          assertFalse(bottomHalf.cancel());
          LoopRig.settle();
          assertEquals(0, runs[0]);
          bottomHalf.schedule();
          bottomHalf.cancel();
          bottomHalf.schedule();
          LoopRig.settle();
          assertEquals(1, runs[0]);
        });
  }

  @Test
  void oneCancelsAnotherOfTheSameTurn() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          BottomHalf[] pair = new BottomHalf[2];
          for (int i = 0; i < 2; i++) {
            int other = 1 - i;
            pair[i] =
                loop.bottomHalf(
                    "rival" + i,
                    () -> {
                      runs[0]++;
                      pair[other].cancel();
                    });
          }
          pair[0].schedule();
          pair[1].schedule();
          LoopRig.settle();
          assertEquals(1, runs[0]);
        });
  }

  @Test
  void a3_deletesItselfInItsOwnCallback() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          BottomHalf[] self = new BottomHalf[1];
          self[0] =
              loop.bottomHalf(
                  "suicide",
                  () -> {
                    runs[0]++;
                    self[0].schedule();
                    self[0].delete();
                  });
          self[0].schedule();
          LoopRig.settle();
          assertEquals(1, runs[0], "what it scheduled before it was deleted must not run");
          assertThrows(IllegalStateException.class, self[0]::schedule);
        });
  }

  @Test
  void a2_deletedByAnotherWhilePending() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          BottomHalf victim = loop.bottomHalf("victim", () -> runs[0]++);
          loop.scheduleOnce("killer", victim::delete);
          victim.schedule();
          victim.delete();
          victim.delete();
          LoopRig.settle();
          assertEquals(0, runs[0]);
        });
  }

  @Test
  void refusedScheduleOfADeletedOneLeavesNothingBehind() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          BottomHalf bottomHalf = loop.bottomHalf("deleted", () -> runs[0]++);
          bottomHalf.schedule();
          bottomHalf.delete();
          assertThrows(IllegalStateException.class, bottomHalf::schedule);
          assertFalse(bottomHalf.isScheduled());
          LoopRig.settle();
          assertEquals(0, runs[0]);
        });
  }

  @Test
  void reschedulesItselfFromItsOwnCallback() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          long[] turns = new long[10];
          BottomHalf[] self = new BottomHalf[1];
          self[0] =
              loop.bottomHalf(
                  "again",
                  () -> {
                    turns[runs[0]] = loop.turn().turns();
                    if (++runs[0] < turns.length) {
                      self[0].schedule();
                    }
                  });
          self[0].schedule();
          LoopRig.turnUntil(() -> runs[0] == turns.length);
          for (int i = 1; i < turns.length; i++) {
            assertTrue(turns[i] > turns[i - 1], "in a later turn, so that others get theirs");
          }
        });
  }

  @Test
  void a14_scheduledByManyThreadsWhileItRuns() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    int threads = 3;
    int rounds = 20_000;
    AtomicInteger runs = new AtomicInteger();
    AtomicInteger inside = new AtomicInteger();
    long[] written = new long[threads];
    long[] seen = new long[threads];
    BottomHalf bottomHalf =
        loop.bottomHalf(
            "shared",
            () -> {
              assertEquals(1, inside.incrementAndGet(), "never twice at once");
              System.arraycopy(written, 0, seen, 0, threads);
              runs.incrementAndGet();
              inside.decrementAndGet();
            });
    CountDownLatch done = new CountDownLatch(threads);
    for (int i = 0; i < threads; i++) {
      int self = i;
      Thread.ofPlatform()
          .start(
              () -> {
                for (int round = 1; round <= rounds; round++) {
                  written[self] = round;
                  bottomHalf.schedule();
                }
                done.countDown();
              });
    }
    done.await();
    LoopRig.spinUntil(() -> !bottomHalf.isScheduled());
    loop.submit("barrier", () -> true).get();
    assertTrue(runs.get() > 0 && runs.get() <= threads * rounds);
    for (long each : seen) {
      assertEquals(rounds, each, "what was written before scheduling is seen by the callback");
    }
  }

  @Test
  void scheduledAndCancelledByRivalThreadsRunsOnlyIfOwed() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    AtomicInteger runs = new AtomicInteger();
    AtomicInteger cancelled = new AtomicInteger();
    BottomHalf bottomHalf = loop.bottomHalf("rivals", runs::incrementAndGet);
    int rounds = 50_000;
    Thread canceller =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int i = 0; i < rounds; i++) {
                    if (bottomHalf.cancel()) {
                      cancelled.incrementAndGet();
                    }
                  }
                });
    for (int i = 0; i < rounds; i++) {
      bottomHalf.schedule();
      LoopRig.spinUntil(() -> !bottomHalf.isScheduled());
    }
    canceller.join();
    loop.submit("barrier", () -> true).get();
    assertEquals(rounds, runs.get() + cancelled.get(), "each either ran or was cancelled");
  }
}

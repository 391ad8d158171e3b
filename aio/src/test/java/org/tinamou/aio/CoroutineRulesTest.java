package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.ClockType;

@OnEveryPoller
class CoroutineRulesTest {
  private final LoopRig rig;

  CoroutineRulesTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  @Test
  void coroutinesRunFirstInFirstOut() throws Exception {
    rig.run(
        loop -> {
          List<Integer> order = new ArrayList<>();
          List<Coroutine> all = new ArrayList<>();
          List<Integer> expected = new ArrayList<>();
          for (int i = 0; i < 50; i++) {
            int number = i;
            all.add(
                loop.spawn(
                    "co" + i,
                    () -> {
                      order.add(number);
                      Coroutine.yieldNow();
                      order.add(number);
                      Coroutine.suspend("test");
                      order.add(number);
                    }));
          }
          for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 50; i++) {
              expected.add(i);
            }
          }
          LoopRig.settle();
          all.forEach(Coroutine::wake);
          LoopRig.settle();
          assertEquals(expected, order);
        });
  }

  @Test
  void a14_wokenManyTimesRunsOnce() throws Exception {
    rig.run(
        loop -> {
          int[] runs = new int[1];
          boolean[] end = new boolean[1];
          Coroutine coroutine =
              loop.spawn(
                  "woken",
                  () -> {
                    while (!end[0]) {
                      Coroutine.suspend("test");
                      runs[0]++;
                    }
                  });
          Coroutine.yieldNow();
          for (int i = 0; i < 5; i++) {
            coroutine.wake();
          }
          LoopRig.settle();
          assertEquals(1, runs[0]);
          end[0] = true;
          coroutine.wake();
          coroutine.join();
        });
  }

  @Test
  void s7_aStrayWakeUpDoesNotEndAnyWait() throws Exception {
    rig.run(
        loop -> {
          CoMutex mutex = new CoMutex("m");
          CoRwLock rwLock = new CoRwLock("rw");
          CoQueue queue = new CoQueue("q");
          AtomicBoolean release = new AtomicBoolean();
          List<Coroutine> waiters = new ArrayList<>();
          AtomicInteger through = new AtomicInteger();
          mutex.lock();
          rwLock.writeLock();
          List<Coroutine.Body> waits =
              List.of(
                  () -> mutex.run(() -> {}),
                  () -> {
                    rwLock.readLock();
                    rwLock.unlock();
                  },
                  queue::await,
                  () -> loop.sleep(ClockType.REALTIME, 1_000),
                  () ->
                      loop.callBlocking(
                          () -> {
                            LoopRig.spinUntil(release::get);
                            return 0;
                          }),
                  waiters::getFirst);
          for (Coroutine.Body wait : waits.subList(0, 5)) {
            waiters.add(
                loop.spawn(
                    "waiter",
                    () -> {
                      wait.run();
                      through.incrementAndGet();
                    }));
          }
          Coroutine joined = waiters.getFirst();
          waiters.add(
              loop.spawn(
                  "joiner",
                  () -> {
                    joined.join();
                    through.incrementAndGet();
                  }));
          for (int i = 0; i < 5; i++) {
            LoopRig.settle();
            waiters.forEach(Coroutine::wake);
          }
          LoopRig.settle();
          assertEquals(0, through.get());
          mutex.unlock();
          rwLock.unlock();
          assertTrue(queue.wakeOne());
          release.set(true);
          rig.clocks.advance(1_000);
          LoopRig.turnUntil(() -> through.get() == 6);
        });
  }

  @Test
  void strangersAreRefusedByTheScheduler() throws Exception {
    rig.run(
        loop -> {
          assertThrows(RejectedExecutionException.class, () -> Thread.startVirtualThread(() -> {}));
          assertThrows(
              RejectedExecutionException.class,
              () -> Thread.ofVirtual().name("child").start(() -> {}));
          // And the coroutine itself is none the worse for it.
          Coroutine.yieldNow();
          loop.spawn("proper child", () -> {}).join();
        });
  }

  @Test
  void duplicatesOfResumptionsAreTolerated() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    AtomicLong woken = new AtomicLong();
    AtomicBoolean end = new AtomicBoolean();
    AtomicInteger stacks = new AtomicInteger();
    Coroutine coroutine =
        loop.spawn(
            "watched",
            () -> {
              long seen = 0;
              while (!end.get()) {
                while (woken.get() == seen && !end.get()) {
                  Coroutine.suspend("next number");
                }
                seen++;
              }
            });
    Thread looker =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!end.get()) {
                    StackTraceElement[] stack = coroutine.thread().getStackTrace();
                    stacks.addAndGet(stack.length > 0 ? 1 : 0);
                  }
                });
    for (int i = 0; i < 20_000; i++) {
      woken.incrementAndGet();
      coroutine.wake();
    }
    LoopRig.spinUntil(() -> stacks.get() > 100);
    end.set(true);
    coroutine.wake();
    looker.join();
    LoopRig.spinUntil(coroutine::isEnded);
  }

  @Test
  void aTimedParkIsReported() throws Exception {
    rig.run(
        loop -> {
          boolean[] released = new boolean[1];
          Coroutine sleeper =
              loop.spawn(
                  "sleeper",
                  () -> {
                    while (!released[0]) {
                      LockSupport.parkNanos(Long.MAX_VALUE);
                    }
                  });
          LoopRig.settle();
          released[0] = true;
          sleeper.wake();
          sleeper.join();
        });
    assertEquals(
        List.of(
            "coroutine sleeper is TIMED_WAITING: threads of the JDK would resume it;"
                + " use a timer or a coroutine lock"),
        messagesFrom("sleeper"));
  }

  @Test
  void aWaitOnAMonitorIsReported() throws Exception {
    Object monitor = new Object();
    AtomicBoolean waiting = new AtomicBoolean();
    AioContext loop = rig.startThread("iothread").context();
    Coroutine waiter =
        loop.spawn(
            "waiter",
            () -> {
              synchronized (monitor) {
                waiting.set(true);
                monitor.wait();
              }
            });
    LoopRig.spinUntil(waiting::get);
    // Once something else has run, the waiter has left the loop; before, it would not really wait.
    assertEquals(1, loop.submit("other", () -> 1).get());
    synchronized (monitor) {
      monitor.notifyAll();
    }
    LoopRig.spinUntil(waiter::isEnded);
    List<String> messages = messagesFrom("waiter");
    assertTrue(messages.getLast().contains("resumed by a thread of the JDK"), messages::toString);
  }

  @Test
  void contendedSynchronizedIsReported() throws Exception {
    Object monitor = new Object();
    AioContext loop = rig.startThread("iothread").context();
    Coroutine blocked;
    synchronized (monitor) {
      blocked =
          loop.spawn(
              "blocked",
              () -> {
                synchronized (monitor) {
                  assertSame(loop, AioContext.currentOrNull());
                }
              });
      LoopRig.spinUntil(
          () -> {
            rig.clocks.advance(1_000_000);
            return !rig.failures.isEmpty();
          });
      // The loop itself goes on meanwhile.
      assertEquals(1, loop.submit("other", () -> 1).get());
    }
    LoopRig.spinUntil(blocked::isEnded);
    List<String> messages = messagesFrom("blocked");
    assertTrue(messages.getFirst().contains("coroutine blocked is BLOCKED"), messages::toString);
  }

  private List<String> messagesFrom(String coroutine) {
    List<String> messages = new ArrayList<>();
    for (LoopRig.Failure each; (each = rig.failures.poll()) != null; ) {
      assertEquals("coroutine " + coroutine, each.source().toString());
      messages.add(each.failure().getMessage());
    }
    assertFalse(messages.isEmpty(), "nothing was reported");
    return messages;
  }

  @Test
  void ourOwnWaitsAreNeverResumedByThreadsOfTheJdk() throws Exception {
    rig.run(
        loop -> {
          CoMutex mutex = new CoMutex("m");
          List<Coroutine> all = new ArrayList<>();
          for (int i = 0; i < 20; i++) {
            all.add(
                loop.spawn(
                    "co",
                    () -> {
                      for (int j = 0; j < 20; j++) {
                        mutex.lock();
                        Coroutine.yieldNow();
                        mutex.unlock();
                        loop.callBlocking(() -> 0);
                        loop.sleep(ClockType.REALTIME, 0);
                      }
                    }));
          }
          all.forEach(Coroutine::join);
        });
    // The rig would complain of a report.
  }

  @Test
  void anInterruptedCoroutineDoesNotSpinAndIsReported() throws Exception {
    rig.run(
        loop -> {
          boolean[] released = new boolean[1];
          int[] passes = new int[1];
          Coroutine waiter =
              loop.spawn(
                  "interrupted",
                  () -> {
                    Thread.currentThread().interrupt();
                    while (!released[0]) {
                      passes[0]++;
                      Coroutine.suspend("release");
                    }
                  });
          LoopRig.settle();
          assertEquals(2, passes[0], "it parks again after the interrupt");
          released[0] = true;
          waiter.wake();
          waiter.join();
        });
    assertTrue(rig.takeFailure().failure().getMessage().contains("was interrupted"));
  }

  @Test
  void nobodyOutsideOfACoroutineWaitsLikeOne() {
    assertThrows(IllegalStateException.class, Coroutine::current);
    assertThrows(IllegalStateException.class, () -> Coroutine.suspend("nothing"));
    assertThrows(IllegalStateException.class, Coroutine::yieldNow);
    assertThrows(IllegalStateException.class, () -> new CoMutex("m").lock());
    assertEquals(null, Coroutine.currentOrNull());
    assertEquals(null, AioContext.currentOrNull());
  }

  @Test
  void aParkedCoroutineNobodyKnowsOutlivesTheCollector() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    AtomicBoolean finallyRan = new AtomicBoolean();
    WeakReference<Coroutine> weak = park(loop, finallyRan);
    LoopRig.spinUntil(() -> loop.dump().size() == 1);
    for (int i = 0; i < 5; i++) {
      System.gc();
    }
    assertNotEquals(null, weak.get(), "its loop keeps it");
    assertFalse(finallyRan.get());
    weak.get().requestCancel();
    LoopRig.spinUntil(() -> loop.submit("count", loop::liveCoroutines).join() == 1);
    assertTrue(finallyRan.get());
    LoopRig.spinUntil(
        () -> {
          System.gc();
          return weak.get() == null;
        });
  }

  /** In a frame of its own, so that nothing on the caller's stack refers to the coroutine. */
  private static WeakReference<Coroutine> park(AioContext loop, AtomicBoolean finallyRan) {
    return new WeakReference<>(
        loop.spawn(
            "unknown",
            () -> {
              try {
                while (!Coroutine.current().isCancelRequested()) {
                  Coroutine.suspend("nobody");
                }
              } finally {
                finallyRan.set(true);
              }
            }));
  }

  @Test
  void aDumpNamesCoroutinesWhatTheyWorkForAndWaitFor() throws Exception {
    rig.run(
        loop -> {
          CoMutex mutex = new CoMutex("qcow2 metadata of disk0");
          mutex.lock();
          assertEquals("mutex qcow2 metadata of disk0 held by test", mutex.toString());
          Coroutine waiter =
              loop.spawn(
                  "writer",
                  () -> {
                    Coroutine.describe("node disk0, write 4096+512");
                    mutex.run(() -> {});
                  });
          AioTimer timer = loop.timer(ClockType.VIRTUAL, "throttle", () -> {});
          timer.armIn(5);
          Coroutine.yieldNow();
          List<String> dump = loop.dump();
          assertTrue(
              dump.contains(
                  "coroutine writer for node disk0, write 4096+512,"
                      + " waiting for mutex qcow2 metadata of disk0"),
              dump::toString);
          assertTrue(dump.contains("coroutine test"), dump::toString);
          assertTrue(dump.contains("timer throttle (VIRTUAL)"), dump::toString);
          timer.cancel();
          mutex.unlock();
          assertEquals("mutex qcow2 metadata of disk0 held by writer", mutex.toString());
          waiter.join();
        });
  }

  @Test
  void foreignThreadsMayDumpALoopThatChangesAllTheTime() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    AioContext other = rig.startThread("other").context();
    AtomicBoolean end = new AtomicBoolean();
    List<java.util.concurrent.CompletableFuture<Integer>> busy = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      busy.add(
          loop.submit(
              "busy",
              () -> {
                int turns = 0;
                while (!end.get()) {
                  AioContext here = Coroutine.current().context();
                  AioTimer timer = here.timer(ClockType.REALTIME, "t", () -> {});
                  timer.armIn(1_000_000);
                  FdWatch watch = here.watch(0, 0, events -> {});
                  here.spawn("child", Coroutine::yieldNow).join();
                  watch.remove();
                  timer.cancel();
                  Coroutine.moveTo(turns++ % 2 == 0 ? other : loop);
                }
                return turns;
              }));
    }
    int lines = 0;
    for (int i = 0; i < 5_000; i++) {
      lines += loop.dump().size() + other.dump().size();
    }
    assertTrue(lines > 0);
    end.set(true);
    for (var each : busy) {
      assertTrue(each.get() >= 0);
    }
  }

  @Test
  void aCoroutineDoesNotJoinItself() throws Exception {
    rig.run(loop -> assertThrows(IllegalStateException.class, () -> Coroutine.current().join()));
  }

  @Test
  void joinersOfManyLoopsAllLearnOfTheEnd() throws Exception {
    AioContext one = rig.startThread("one").context();
    AioContext two = rig.startThread("two").context();
    for (int round = 0; round < 300; round++) {
      AtomicBoolean end = new AtomicBoolean();
      Coroutine target = one.spawn("target", () -> LoopRig.turnUntil(end::get));
      List<java.util.concurrent.CompletableFuture<Boolean>> joiners = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        joiners.add(
            (i % 2 == 0 ? one : two)
                .submit(
                    "joiner",
                    () -> {
                      target.join();
                      return target.isEnded();
                    }));
      }
      end.set(true);
      for (var joiner : joiners) {
        assertTrue(joiner.get());
      }
    }
  }

  @Test
  void aForeignThreadWaitsOnSubmit() throws Exception {
    AioContext loop = rig.startThread("iothread").context();
    assertEquals(42, loop.submit("answer", () -> 42).get());
    var failure =
        assertThrows(
            java.util.concurrent.ExecutionException.class,
            () ->
                loop.submit(
                        "thrower",
                        () -> {
                          throw new java.io.IOException("as it was");
                        })
                    .get());
    assertEquals("as it was", failure.getCause().getMessage());
    // Many threads at once.
    AtomicInteger sum = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int j = 0; j < 1000; j++) {
                      int number = j;
                      sum.addAndGet(loop.submit("add", () -> number).join());
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(4 * 499_500, sum.get());
  }

  @Test
  void everyWakeUpOfEveryThreadIsNoticed() throws Exception {
    AioContext one = rig.startThread("one").context();
    AioContext two = rig.startThread("two").context();
    int rounds = 100_000;
    AtomicInteger turn = new AtomicInteger();
    Coroutine[] players = new Coroutine[2];
    java.util.concurrent.CountDownLatch ready = new java.util.concurrent.CountDownLatch(1);
    for (int i = 0; i < 2; i++) {
      int self = i;
      players[i] =
          (i == 0 ? one : two)
              .spawn(
                  "player" + i,
                  () -> {
                    ready.await();
                    while (turn.get() < rounds) {
                      while (turn.get() % 2 != self && turn.get() < rounds) {
                        Coroutine.suspend("my turn");
                      }
                      turn.incrementAndGet();
                      players[1 - self].wake();
                    }
                  });
    }
    ready.countDown();
    LoopRig.spinUntil(() -> players[0].isEnded() && players[1].isEnded());
    assertTrue(turn.get() >= rounds);
  }

  @Test
  void aParkOfTheJdkInsideACoroutineIsOneOfTheLoop() throws Exception {
    rig.run(
        loop -> {
          // As a lock of java.util.concurrent does when it is contended.
          Thread[] thread = new Thread[1];
          boolean[] released = new boolean[1];
          Coroutine coroutine =
              loop.spawn(
                  "parked",
                  () -> {
                    thread[0] = Thread.currentThread();
                    while (!released[0]) {
                      LockSupport.park();
                    }
                    assertSame(loop, AioContext.currentOrNull());
                  });
          Coroutine.yieldNow();
          released[0] = true;
          LockSupport.unpark(thread[0]);
          coroutine.join();
        });
  }
}

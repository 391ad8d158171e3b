package org.tinamou.aio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.SeededRandom;

@OnEveryPoller
class CoLocksTest {
  private final LoopRig rig;

  CoLocksTest(PollerKind kind) {
    rig = new LoopRig(kind);
  }

  @AfterEach
  void close() {
    rig.close();
  }

  private static Coroutine started(AioContext loop, String name, Coroutine.Body body) {
    Coroutine coroutine = loop.spawn(name, body);
    LoopRig.settle();
    return coroutine;
  }

  @Test
  void aMutexIsHandedToTheLongestWaiter() throws Exception {
    rig.run(
        loop -> {
          CoMutex mutex = new CoMutex("m");
          List<Integer> order = new ArrayList<>();
          List<Coroutine> waiters = new ArrayList<>();
          mutex.lock();
          for (int i = 0; i < 5; i++) {
            int number = i;
            waiters.add(
                started(
                    loop,
                    "waiter" + i,
                    () -> {
                      mutex.lock();
                      order.add(number);
                      Coroutine.yieldNow();
                      mutex.unlock();
                    }));
          }
          mutex.unlock();
          // It belongs to the first waiter already: nobody gets in before it.
          assertFalse(mutex.tryLock());
          assertSame(waiters.getFirst(), mutex.holder());
          waiters.forEach(Coroutine::join);
          assertEquals(List.of(0, 1, 2, 3, 4), order);
          assertNull(mutex.holder());
          assertTrue(mutex.tryLock());
          assertFalse(mutex.tryLock());
          mutex.unlock();
        });
  }

  @Test
  void aMutexKnowsItsHolder() throws Exception {
    rig.run(
        loop -> {
          CoMutex mutex = new CoMutex("m");
          assertThrows(IllegalStateException.class, mutex::unlock);
          mutex.lock();
          IllegalStateException again = assertThrows(IllegalStateException.class, mutex::lock);
          assertEquals("coroutine test already holds mutex m", again.getMessage());
          Throwable[] stranger = new Throwable[1];
          started(
              loop,
              "stranger",
              () -> stranger[0] = assertThrows(IllegalStateException.class, mutex::unlock));
          assertEquals(
              "coroutine stranger does not hold mutex m: coroutine test does",
              stranger[0].getMessage());
          mutex.unlock();
          RuntimeException thrown = new RuntimeException("inside");
          assertSame(
              thrown,
              assertThrows(
                  RuntimeException.class,
                  () ->
                      mutex.run(
                          () -> {
                            throw thrown;
                          })));
          assertNull(mutex.holder());
        });
  }

  @Test
  void readersShareAndWritersDoNot() throws Exception {
    rig.run(
        loop -> {
          CoRwLock lock = new CoRwLock("rw");
          List<String> events = new ArrayList<>();
          lock.readLock();
          Coroutine reader = started(loop, "reader", () -> use(lock, false, "r1", events));
          reader.join();
          Coroutine writer = started(loop, "writer", () -> use(lock, true, "w", events));
          // Behind a writer that waits, a reader waits too: the writer does not starve.
          Coroutine late = started(loop, "late", () -> use(lock, false, "r2", events));
          Coroutine later = started(loop, "later", () -> use(lock, false, "r3", events));
          assertEquals(List.of("r1"), events);
          lock.unlock();
          writer.join();
          late.join();
          later.join();
          assertEquals(List.of("r1", "w", "r2", "r3"), events);
        });
  }

  private static void use(CoRwLock lock, boolean write, String name, List<String> events) {
    if (write) {
      lock.writeLock();
    } else {
      lock.readLock();
    }
    events.add(name);
    Coroutine.yieldNow();
    lock.unlock();
  }

  @Test
  void upgradeComesFirstAndLetsOthersWriteBefore() throws Exception {
    rig.run(
        loop -> {
          CoRwLock lock = new CoRwLock("rw");
          List<String> events = new ArrayList<>();
          lock.readLock();
          Coroutine[] upgraders = new Coroutine[2];
          for (int i = 0; i < 2; i++) {
            String name = "upgraded" + i;
            upgraders[i] =
                started(
                    loop,
                    name,
                    () -> {
                      lock.readLock();
                      lock.upgrade();
                      events.add(name);
                      Coroutine.yieldNow();
                      lock.downgrade();
                      Coroutine.yieldNow();
                      lock.unlock();
                    });
          }
          Coroutine writer = started(loop, "writer", () -> use(lock, true, "writer", events));
          assertEquals(List.of(), events);
          lock.unlock();
          for (Coroutine each : List.of(upgraders[0], upgraders[1], writer)) {
            each.join();
          }
          assertEquals(3, events.size());
          assertEquals("writer", events.getLast(), "both upgrades come before who waited");
        });
  }

  @Test
  void downgradeLetsReadersInAndWritersWait() throws Exception {
    rig.run(
        loop -> {
          CoRwLock lock = new CoRwLock("rw");
          List<String> events = new ArrayList<>();
          lock.writeLock();
          Coroutine reader = started(loop, "reader", () -> use(lock, false, "r", events));
          Coroutine writer = started(loop, "writer", () -> use(lock, true, "w", events));
          lock.downgrade();
          reader.join();
          assertEquals(List.of("r"), events);
          lock.unlock();
          writer.join();
          assertEquals(List.of("r", "w"), events);
        });
  }

  @Test
  void aReadWriteLockRefusesWhoDoesNotHoldIt() throws Exception {
    rig.run(
        loop -> {
          CoRwLock lock = new CoRwLock("rw");
          assertThrows(IllegalStateException.class, lock::unlock);
          assertThrows(IllegalStateException.class, lock::upgrade);
          assertThrows(IllegalStateException.class, lock::downgrade);
          lock.writeLock();
          assertThrows(IllegalStateException.class, lock::readLock);
          assertThrows(IllegalStateException.class, lock::writeLock);
          assertThrows(IllegalStateException.class, lock::upgrade);
          lock.unlock();
          lock.readLock();
          assertThrows(IllegalStateException.class, lock::downgrade);
          lock.unlock();
        });
  }

  @Test
  void aQueueLetsOneOrAllGoInOrder() throws Exception {
    rig.run(
        loop -> {
          CoQueue queue = new CoQueue("condition");
          List<Integer> order = new ArrayList<>();
          List<Coroutine> waiters = new ArrayList<>();
          assertFalse(queue.wakeOne());
          assertTrue(queue.isEmpty());
          for (int i = 0; i < 6; i++) {
            int number = i;
            waiters.add(
                started(
                    loop,
                    "waiter" + i,
                    () -> {
                      queue.await();
                      order.add(number);
                    }));
          }
          assertTrue(queue.wakeOne());
          LoopRig.settle();
          assertEquals(List.of(0), order);
          assertTrue(queue.wakeOne());
          assertTrue(queue.wakeOne());
          LoopRig.settle();
          assertEquals(List.of(0, 1, 2), order);
          queue.wakeAll();
          queue.wakeAll();
          waiters.forEach(Coroutine::join);
          assertEquals(List.of(0, 1, 2, 3, 4, 5), order);
        });
  }

  /** The condition changes in another loop, between the check and the wait (S2, S6). */
  @Test
  void s2_s6_conditionsChangedInAnotherLoopAreNeverMissed() throws Exception {
    AioContext one = rig.startThread("one").context();
    AioContext two = rig.startThread("two").context();
    CoMutex mutex = new CoMutex("guard");
    CoQueue changed = new CoQueue("turn");
    int rounds = 20_000;
    int[] turn = new int[1];
    List<Coroutine> players = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      int self = i;
      players.add(
          (i == 0 ? one : two)
              .spawn(
                  "player" + i,
                  () -> {
                    mutex.lock();
                    while (turn[0] < rounds) {
                      if (turn[0] % 2 == self) {
                        turn[0]++;
                        changed.wakeOne();
                      } else {
                        changed.await(mutex);
                      }
                    }
                    changed.wakeAll();
                    mutex.unlock();
                  }));
    }
    LoopRig.spinUntil(() -> players.stream().allMatch(Coroutine::isEnded));
    assertEquals(rounds, turn[0]);
  }

  @Test
  void aMutexExcludesOnManyThreads() throws Exception {
    CoMutex mutex = new CoMutex("shared");
    long[] counter = new long[1];
    List<Coroutine> all = new ArrayList<>();
    for (int t = 0; t < 3; t++) {
      AioContext loop = rig.startThread("loop" + t).context();
      for (int i = 0; i < 4; i++) {
        SeededRandom random = new SeededRandom(t * 100 + i);
        all.add(
            loop.spawn(
                "adder",
                () -> {
                  for (int round = 0; round < 3_000; round++) {
                    if (random.chance(1, 4)) {
                      while (!mutex.tryLock()) {
                        Coroutine.yieldNow();
                      }
                    } else {
                      mutex.lock();
                    }
                    long seen = counter[0];
                    if (random.chance(1, 8)) {
                      Coroutine.yieldNow();
                    }
                    counter[0] = seen + 1;
                    mutex.unlock();
                  }
                }));
      }
    }
    LoopRig.spinUntil(() -> all.stream().allMatch(Coroutine::isEnded));
    assertEquals(36_000, counter[0]);
  }

  @Test
  void aReadWriteLockExcludesOnManyThreads() throws Exception {
    CoRwLock lock = new CoRwLock("shared");
    AtomicInteger readers = new AtomicInteger();
    AtomicInteger writers = new AtomicInteger();
    long[] counter = new long[1];
    AtomicInteger written = new AtomicInteger();
    List<Coroutine> all = new ArrayList<>();
    for (int t = 0; t < 3; t++) {
      AioContext loop = rig.startThread("loop" + t).context();
      for (int i = 0; i < 3; i++) {
        SeededRandom random = new SeededRandom(t * 10 + i);
        all.add(
            loop.spawn(
                "user",
                () -> {
                  for (int round = 0; round < 2_000; round++) {
                    boolean upgrade = random.chance(1, 5);
                    if (upgrade || random.chance(3, 4)) {
                      lock.readLock();
                      readers.incrementAndGet();
                      assertEquals(0, writers.get());
                      if (random.chance(1, 4)) {
                        Coroutine.yieldNow();
                      }
                      readers.decrementAndGet();
                      if (!upgrade) {
                        lock.unlock();
                        continue;
                      }
                      lock.upgrade();
                    } else {
                      lock.writeLock();
                    }
                    assertEquals(1, writers.incrementAndGet());
                    assertEquals(0, readers.get());
                    counter[0]++;
                    written.incrementAndGet();
                    writers.decrementAndGet();
                    if (random.nextBoolean()) {
                      lock.downgrade();
                    }
                    lock.unlock();
                  }
                }));
      }
    }
    LoopRig.spinUntil(() -> all.stream().allMatch(Coroutine::isEnded));
    assertEquals(written.get(), counter[0]);
  }
}

package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WorkerPoolTest {
  @Test
  void allJobsRunOnDaemonThreads() {
    AtomicInteger ran = new AtomicInteger();
    WorkerPool pool = new WorkerPool(4);
    for (int i = 0; i < 1000; i++) {
      pool.execute(
          () -> {
            assertTrue(Thread.currentThread().isDaemon());
            ran.incrementAndGet();
          });
    }
    pool.close();
    assertEquals(1000, ran.get());
    assertEquals(0, pool.threadCount());
    assertThrows(IllegalStateException.class, () -> pool.execute(() -> {}));
  }

  @Test
  void asManyJobsRunAtOnceAsThereAreThreadsAndNoMore() throws Exception {
    int threads = 8;
    AtomicInteger now = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CyclicBarrier together = new CyclicBarrier(threads);
    List<Throwable> failures = new ArrayList<>();
    WorkerPool pool = new WorkerPool(threads);
    for (int i = 0; i < threads * 5; i++) {
      pool.execute(
          () -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            try {
              together.await();
            } catch (Exception e) {
              synchronized (failures) {
                failures.add(e);
              }
            }
            now.decrementAndGet();
          });
    }
    pool.close();
    assertEquals(List.of(), failures);
    assertEquals(threads, most.get());
  }

  @Test
  void idleThreadsEndAndNewJobsStillRun() throws Exception {
    try (WorkerPool pool = new WorkerPool(2, 1)) {
      for (int i = 0; i < 300; i++) {
        CountDownLatch done = new CountDownLatch(2);
        pool.execute(done::countDown);
        pool.execute(done::countDown);
        done.await();
        while (i % 10 == 0 && pool.threadCount() > 0) {
          Thread.onSpinWait();
        }
      }
    }
  }

  @Test
  void aFailingJobDoesNotTakeItsThreadAlong() throws Exception {
    AtomicInteger reported = new AtomicInteger();
    CountDownLatch done = new CountDownLatch(1);
    Thread.UncaughtExceptionHandler old = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> reported.incrementAndGet());
    try (WorkerPool pool = new WorkerPool(1)) {
      pool.execute(
          () -> {
            throw new IllegalStateException("planned");
          });
      pool.execute(done::countDown);
      done.await();
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(old);
    }
    assertEquals(1, reported.get());
  }
}

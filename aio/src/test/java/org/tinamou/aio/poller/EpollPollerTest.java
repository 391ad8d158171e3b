package org.tinamou.aio.poller;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayDeque;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.tinamou.aio.IoRequest;
import org.tinamou.aio.Poller;
import org.tinamou.aio.PollerDriver;
import org.tinamou.aio.Workers;
import org.tinamou.base.Errno;

class EpollPollerTest extends KernelPollerContract {
  /** Runs a job when the test says so. */
  private static final class HeldWorkers implements Workers {
    final ArrayDeque<Runnable> jobs = new ArrayDeque<>();

    @Override
    public void execute(Runnable job) {
      jobs.add(job);
    }

    @Override
    public void close() {}
  }

  @Override
  Poller open(Workers workers) throws Exception {
    return Pollers.open(PollerKind.EPOLL, workers);
  }

  @Test
  void aJobNotYetStartedIsCancelledAndNeverRuns() throws Exception {
    HeldWorkers held = new HeldWorkers();
    Poller slow = open(held);
    try (PollerDriver slowDriver = new PollerDriver(slow, held, hostFiles)) {
      int fd = file();
      IoRequest cancelled = slowDriver.write(fd, filled(10, 1), 0);
      IoRequest kept = slowDriver.write(fd, filled(5, 1), 0);
      slow.cancel(cancelled);
      slow.cancel(cancelled);
      assertFalse(slowDriver.isComplete(cancelled));
      assertEquals(-Errno.ECANCELED.number(), slowDriver.result(cancelled));
      held.jobs.forEach(Runnable::run);
      slow.cancel(kept);
      assertEquals(5, slowDriver.result(kept));
      assertEquals(5, hostFiles.status(fd).sizeBytes());
      assertEquals(0, slow.inFlight());
    }
  }

  @Test
  void aStartedJobEndsNormally() throws Exception {
    CountDownLatch started = new CountDownLatch(1);
    Workers late =
        new Workers() {
          @Override
          public void execute(Runnable job) {
            workers.execute(
                () -> {
                  job.run();
                  started.countDown();
                });
          }

          @Override
          public void close() {}
        };
    Poller slow = open(late);
    try (PollerDriver slowDriver = new PollerDriver(slow, late, hostFiles)) {
      IoRequest request = slowDriver.write(file(), filled(10, 1), 0);
      started.await();
      slow.cancel(request);
      assertEquals(10, slowDriver.result(request));
    }
  }
}

package org.tinamou.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BusyPolling;
import org.tinamou.aio.poller.LoopHost;
import org.tinamou.aio.poller.PollerKind;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/** A job with a bug ends nevertheless, and so does whoever waits for that. */
final class JobBugTest {
  private enum Place {
    RUN,
    PREPARE,
    COMMIT,
    ABORT,
    CLEAN
  }

  private static final class Buggy extends Job {
    private final Place place;
    private boolean cleaned;

    Buggy(JobList list, Place place) throws BlockException {
      super(list, JobSettings.of("buggy"), JobType.AMEND, list.main());
      this.place = place;
    }

    private void reach(Place now) {
      if (now == place) {
        throw new IllegalStateException("a bug in " + now);
      }
    }

    @Override
    protected void run() throws BlockException {
      reach(Place.RUN);
      if (place == Place.ABORT) {
        throw BlockException.of(Errno.ENOSPC, "the work");
      }
    }

    @Override
    protected void prepare() {
      reach(Place.PREPARE);
    }

    @Override
    protected void commit() {
      reach(Place.COMMIT);
    }

    @Override
    protected void abort() {
      reach(Place.ABORT);
    }

    @Override
    protected void clean() {
      cleaned = true;
      reach(Place.CLEAN);
    }
  }

  @ParameterizedTest
  @EnumSource(Place.class)
  @Timeout(30)
  void endsAndIsNotWaitedForInVain(Place place) throws Exception {
    try (LoopHost host = new LoopHost(PollerKind.AUTO);
        AioContext main = host.newContext("main", BusyPolling.OFF)) {
      main.runUntilDone(
          "test",
          () -> {
            JobList jobs = new JobList(main);
            Buggy job = new Buggy(jobs, place);
            job.start();
            job.await();
            jobs.cancelAll(() -> {});
            assertTrue(jobs.all().isEmpty());
            assertTrue(job.cleaned, "it has let nothing go");
            assertEquals(JobStatus.NULL, job.status());
            if (place == Place.RUN || place == Place.PREPARE) {
              assertNotNull(job.failure(), "it is said to have ended well");
            }
            return true;
          });
    }
  }
}

package org.tinamou.jobs;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;

/**
 * Jobs that end together: all of them well, or none. One after the other they wait until the last
 * has done its work; then each prepares, and if all could, each commits. If one fails or is told to
 * give up, all others give up too. A job that is in no transaction is in one of its own.
 */
public final class JobTransaction {
  private final List<Job> jobs = new ArrayList<>();

  /** Held by who ends the jobs, also while he waits; never taken by a job's own work. */
  private final CoMutex ending = new CoMutex("end of jobs");

  void add(Job job) {
    jobs.add(job);
  }

  void remove(Job job) {
    jobs.remove(job);
  }

  /** The job's work has ended, whatever came of it. Main loop. */
  @InCoroutine
  void workEnded(Job job) {
    ending.lock();
    try {
      if (job.isEnded()) {
        return; // somebody has seen to it already
      }
      if (job.hasFailed()) {
        abort();
        return;
      }
      job.changeStatus(JobStatus.WAITING);
      for (Job each : jobs) {
        if (each.status() != JobStatus.WAITING) {
          return;
        }
      }
      for (Job each : List.copyOf(jobs)) {
        each.becomePending();
      }
      if (jobs.stream().allMatch(Job::isAutoFinalize)) {
        end();
      }
    } finally {
      ending.unlock();
    }
  }

  /** Somebody has said that the jobs, which are pending, may end. */
  @InCoroutine
  void finalizeAll(Job by) {
    ending.lock();
    try {
      if (by.status() == JobStatus.PENDING) {
        end();
      }
    } finally {
      ending.unlock();
    }
  }

  /** A job that has not started or has done its work is told to give up. */
  @InCoroutine
  void giveUp(Job job) {
    ending.lock();
    try {
      if (!job.isEnded()) {
        abort();
      }
    } finally {
      ending.unlock();
    }
  }

  private void end() {
    if (jobs.stream().anyMatch(Job::hasFailed)) {
      abort(); // told to give up before this, though that still waits for its turn
      return;
    }
    jobs.forEach(Job::beginEnding);
    for (Job each : List.copyOf(jobs)) {
      try {
        each.prepare();
      } catch (BlockException failed) {
        each.fail(failed);
        abort();
        return;
      } catch (RuntimeException | Error bug) {
        each.fail(BlockException.of(Errno.EIO, String.valueOf(bug)));
        abort();
        throw bug;
      }
    }
    concludeAll(List.copyOf(jobs).iterator());
  }

  /** All end, also if what one of them does at its end has a bug. */
  private static void concludeAll(Iterator<Job> rest) {
    if (rest.hasNext()) {
      try {
        rest.next().conclude();
      } finally {
        concludeAll(rest);
      }
    }
  }

  private void abort() {
    List<Job> all = List.copyOf(jobs);
    for (Job each : all) {
      if (!each.hasFailed()) {
        each.requestCancel(true);
      }
    }
    for (Job each : all) {
      each.awaitWorkEnded();
    }
    concludeAll(all.iterator());
  }
}

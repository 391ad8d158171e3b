package org.tinamou.testkit.workload;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.Job;
import org.tinamou.jobs.JobEvent;
import org.tinamou.jobs.JobListener;
import org.tinamou.jobs.JobStatus;
import org.tinamou.testkit.sim.Simulation;

/** What is told of every job: a legal life, progress that only grows, and one end. */
final class JobLedger implements JobListener {
  /** What has been seen of one job. */
  private static final class Life {
    JobStatus status = JobStatus.UNDEFINED;
    long progress;
    int ends;
    boolean started;
    List<? extends Job> partners = List.of();
  }

  private final Simulation simulation;
  private final Map<Job, Life> lives = new LinkedHashMap<>();

  JobLedger(Simulation simulation) {
    this.simulation = simulation;
  }

  /** These end together: all of them well, or none. */
  void together(List<? extends Job> jobs) {
    jobs.forEach(job -> lives.computeIfAbsent(job, any -> new Life()).partners = List.copyOf(jobs));
  }

  private static Set<JobStatus> legalAfter(JobStatus status) {
    return switch (status) {
      case UNDEFINED -> EnumSet.of(JobStatus.CREATED);
      case CREATED -> EnumSet.of(JobStatus.RUNNING, JobStatus.ABORTING, JobStatus.NULL);
      case RUNNING ->
          EnumSet.of(JobStatus.PAUSED, JobStatus.READY, JobStatus.WAITING, JobStatus.ABORTING);
      case PAUSED -> EnumSet.of(JobStatus.RUNNING);
      case READY -> EnumSet.of(JobStatus.STANDBY, JobStatus.WAITING, JobStatus.ABORTING);
      case STANDBY -> EnumSet.of(JobStatus.READY);
      case WAITING -> EnumSet.of(JobStatus.PENDING, JobStatus.ABORTING);
      case PENDING -> EnumSet.of(JobStatus.CONCLUDED, JobStatus.ABORTING);
      case ABORTING -> EnumSet.of(JobStatus.CONCLUDED);
      case CONCLUDED -> EnumSet.of(JobStatus.NULL);
      case NULL -> EnumSet.noneOf(JobStatus.class);
    };
  }

  @Override
  public void happened(JobEvent event) {
    Life life = lives.computeIfAbsent(event.job(), any -> new Life());
    switch (event) {
      case JobEvent.StatusChanged(Job job, JobStatus next) -> {
        simulation.require(
            legalAfter(life.status).contains(next),
            "I17",
            job + " goes from " + life.status + " to " + next);
        life.status = next;
        if (next == JobStatus.PENDING || next == JobStatus.CONCLUDED && job.failure() == null) {
          checkPartners(job, life);
        }
        life.started |= next == JobStatus.RUNNING;
        simulation.note("job", job.id(), next.ordinal());
      }
      case JobEvent.Completed(BlockJob job, var _) -> ended(job, life);
      case JobEvent.Cancelled(BlockJob job, var _) -> ended(job, life);
      default -> {}
    }
    look(event.job(), life);
  }

  /** Nobody of a transaction is pending while another works, or ends well if another does not. */
  private void checkPartners(Job job, Life life) {
    for (Job partner : life.partners) {
      JobStatus status = partner.status();
      boolean gone = status == JobStatus.CONCLUDED || status == JobStatus.NULL;
      simulation.require(
          status == JobStatus.WAITING
              || status == JobStatus.PENDING
              || gone && partner.failure() == null,
          "I17",
          job + " is " + job.status() + " and " + partner + " is " + status);
    }
  }

  private void ended(Job job, Life life) {
    life.ends++;
    simulation.require(life.ends == 1, "I17", job + " ends twice");
  }

  private void look(Job job, Life life) {
    long current = job.progress().current();
    simulation.require(current >= life.progress, "I17", "the progress of " + job + " shrinks");
    life.progress = current;
  }

  /** Looks at all that are there. */
  void look() {
    lives.forEach(this::look);
  }

  /** All have ended, once. */
  void checkAllGone() {
    lives.forEach(
        (job, life) ->
            simulation.require(
                life.status == JobStatus.NULL && life.ends == (life.started ? 1 : 0),
                "I17",
                job + " is " + life.status + " after " + life.ends + " ends"));
  }
}

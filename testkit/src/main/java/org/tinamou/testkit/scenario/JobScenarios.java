package org.tinamou.testkit.scenario;

import java.util.List;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobStatus;
import org.tinamou.jobs.JobTransaction;
import org.tinamou.jobs.JobVerb;
import org.tinamou.jobs.mirror.MirrorJob;
import org.tinamou.jobs.mirror.MirrorSettings;
import org.tinamou.jobs.mirror.MirrorSync;

/** Jobs in themselves: states, verbs, transactions, and drained sections of what they hold. */
final class JobScenarios {
  private JobScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario("J8", "every verb in every state", JobScenarios::verbs),
        new Scenario("J8", "states and events of one life, in order", JobScenarios::life),
        new Scenario("J8 S34", "a job is paused wherever it is", JobScenarios::pauses),
        new Scenario("D3", "a drained section waits until the job rests", JobScenarios::drain),
        new Scenario(
            "S15 D17", "a job ends because a section is closed", JobScenarios::endsAfterDrain),
        new Scenario("S20", "a job fails or is told to give up inside a drain", JobScenarios::fail),
        new Scenario("S20 J6", "all of a transaction, or none", JobScenarios::transaction),
        new Scenario("S20", "one fails while another is cancelled", JobScenarios::race),
        new Scenario("J5 S28", "a job follows its node to other loops", JobScenarios::moves),
        new Scenario("J8 S20", "finalized and cancelled at once", JobScenarios::bothEnds),
        new Scenario("J7", "a mirror into itself is refused", JobScenarios::intoItself));
  }

  private static StagedJob job(Stage stage, JobList jobs, JobSettings settings, BlockNode node)
      throws BlockException {
    return new StagedJob(stage, jobs, settings, node);
  }

  private static void refusedVerb(Stage stage, BlockJob job, JobVerb verb, Stage.Attempt attempt)
      throws Exception {
    if (job.status().accepts(verb)) {
      return;
    }
    String text =
        "Job '%s' in state '%s' cannot accept command verb '%s'"
            .formatted(job.id(), job.status().wireName(), verb.wireName());
    stage.refused(Errno.EPERM, text, attempt);
  }

  /** What is not accepted is refused in the reference's words, and changes nothing. */
  private static void refuseOthers(Stage stage, StagedJob job) throws Exception {
    refusedVerb(stage, job, JobVerb.COMPLETE, job::complete);
    refusedVerb(stage, job, JobVerb.FINALIZE, job::finalizeJob);
    refusedVerb(stage, job, JobVerb.DISMISS, job::dismiss);
    refusedVerb(stage, job, JobVerb.PAUSE, job::userPause);
    refusedVerb(stage, job, JobVerb.SET_SPEED, () -> job.setSpeed(1));
    refusedVerb(stage, job, JobVerb.CANCEL, () -> job.cancel(true));
    if (!job.isUserPaused()) {
      stage.refused(Errno.EINVAL, "Can't resume a job that was not paused", job::userResume);
    }
  }

  private static void verbs(Stage stage) throws Exception {
    JobStatus[] stops = {
      JobStatus.CREATED,
      JobStatus.RUNNING,
      JobStatus.PAUSED,
      JobStatus.READY,
      JobStatus.STANDBY,
      JobStatus.PENDING,
      JobStatus.CONCLUDED
    };
    JobList jobs = new JobList(stage.main());
    BlockNode node = stage.disk("disk", stage.anyLoop()).node;
    for (JobStatus stop : stops) {
      StagedJob job = job(stage, jobs, JobSettings.of("j").manual(false, false), node);
      job.becomesReady = true;
      bring(stage, job, stop);
      refuseOthers(stage, job);
      boolean concluded = stop == JobStatus.CONCLUDED;
      if (concluded) {
        job.dismiss();
      } else {
        job.cancel(true);
        job.await();
        stage.require(job.isCancelled(), "I17", "not cancelled in " + stop);
        stage.require(job.calls.getLast().equals("clean"), "I17", "not cleaned: " + job.calls);
        stage.require(!job.calls.contains("commit"), "I17", "committed: " + job.calls);
        if (job.status() == JobStatus.CONCLUDED) {
          job.dismiss();
        }
      }
      stage.require(jobs.all().isEmpty(), "I17", "left: " + jobs.all());
      stage.require(jobs.blockerOf(node) == null, "I17", "still blocked");
    }
  }

  private static void bring(Stage stage, StagedJob job, JobStatus stop) throws Exception {
    if (stop == JobStatus.CREATED) {
      return;
    }
    job.start();
    stage.until(() -> job.steps.get() > 1);
    if (stop == JobStatus.PAUSED) {
      job.userPause();
      stage.until(() -> job.status() == JobStatus.PAUSED);
    }
    if (stop.ordinal() < JobStatus.READY.ordinal()) {
      return;
    }
    job.finish = true;
    stage.until(() -> job.status() == JobStatus.READY);
    if (stop == JobStatus.STANDBY) {
      job.userPause();
      stage.until(() -> job.status() == JobStatus.STANDBY);
    }
    if (stop.ordinal() >= JobStatus.PENDING.ordinal()) {
      job.complete();
      stage.until(() -> job.status() == JobStatus.PENDING);
    }
    if (stop == JobStatus.CONCLUDED) {
      job.finalizeJob();
    }
  }

  /** Whichever comes first: what has prepared for its end ends well. */
  private static void bothEnds(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode node = stage.disk("disk", stage.anyLoop()).node;
    StagedJob job = job(stage, jobs, JobSettings.of("j").manual(false, false), node);
    job.becomesReady = true;
    bring(stage, job, JobStatus.PENDING);
    Coroutine cancel =
        stage.spawn(stage.main(), "cancel", () -> attempt(stage, () -> job.cancel(true)));
    Coroutine finish =
        stage.spawn(stage.main(), "finalize", () -> attempt(stage, job::finalizeJob));
    cancel.join();
    finish.join();
    boolean well = job.failure() == null;
    stage.require(
        job.calls.equals(well ? List.of("prepare", "commit", "clean") : List.of("abort", "clean")),
        "I17",
        "calls: " + job.calls);
    job.dismiss();
  }

  /** The other one may have been quicker. */
  private static void attempt(Stage stage, Stage.Attempt verb) throws Exception {
    try {
      verb.run();
    } catch (BlockException refused) {
      stage.require(refused.errno() == Errno.EPERM, "I17", "refused: " + refused.getMessage());
    }
  }

  /** What is older there would be written over what is newer. */
  private static void intoItself(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode disk = stage.disk("disk", stage.anyLoop()).node;
    BlockNode filter = stage.filter("filter", disk).node;
    for (BlockNode[] pair : new BlockNode[][] {{filter, disk}, {disk, filter}, {disk, disk}}) {
      stage.refused(
          Errno.EINVAL,
          "Can't mirror node into itself",
          () ->
              MirrorJob.create(
                  jobs, JobSettings.of("j"), pair[0], pair[1], MirrorSettings.of(MirrorSync.FULL)));
    }
    stage.require(jobs.all().isEmpty(), "I17", "left: " + jobs.all());
  }

  private static void life(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    List<String> told = StagedJob.record(jobs);
    BlockNode node = stage.disk("disk", stage.anyLoop()).node;
    stage.refused(
        Errno.EINVAL, "Invalid job ID '1x'", () -> job(stage, jobs, JobSettings.of("1x"), node));
    StagedJob job = job(stage, jobs, JobSettings.of("j").manual(false, false), node);
    stage.refused(
        Errno.EEXIST,
        "Job ID 'j' already in use",
        () -> job(stage, jobs, JobSettings.of("j"), node));
    stage.refused(
        Errno.EBUSY,
        "Node 'disk' is busy: block device is in use by block job: commit",
        () -> jobs.checkNotBlocked(node));
    job.becomesReady = true;
    job.start();
    job.finish = true;
    stage.until(() -> job.status() == JobStatus.READY);
    job.complete();
    stage.until(() -> job.status() == JobStatus.PENDING);
    job.finalizeJob();
    stage.require(
        job.calls.equals(List.of("prepare", "commit", "clean")), "I17", "calls: " + job.calls);
    job.dismiss();
    List<String> expected =
        List.of(
            "j:created",
            "j:running",
            "j:ready",
            "j:Ready",
            "j:waiting",
            "j:pending",
            "j:Pending",
            "j:Completed",
            "j:concluded",
            "j:null");
    stage.require(told.equals(expected), "I17", "told " + told);
  }

  private static void pauses(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    StagedJob job = job(stage, jobs, JobSettings.of("j"), stage.disk("disk", stage.anyLoop()).node);
    job.start();
    for (int i = 0; i < 5; i++) {
      stage.pause();
      job.userPause();
      stage.until(() -> job.status() == JobStatus.PAUSED);
      stage.until(() -> !job.isBusy());
      int before = job.steps.get();
      stage.pause();
      stage.require(job.steps.get() == before, "I6", "works while paused");
      job.userResume();
    }
    job.finish = true;
    stage.require(job.await() == null && jobs.all().isEmpty(), "I17", "failed");
  }

  private static void drain(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode node = stage.disk("disk", stage.anyLoop()).node;
    StagedJob job = job(stage, jobs, JobSettings.of("j"), node);
    job.start();
    for (int i = 0; i < 5; i++) {
      stage.pause();
      try (DrainedSection drained = node.drain("test")) {
        stage.require(!job.isBusy(), "I6", "the job works in a drained section");
        int before = job.steps.get();
        stage.pause();
        stage.require(job.steps.get() == before, "I6", "the job has gone on");
        stage.require(node.inFlightCount() == 0, "I6", "requests in a drained section");
      }
    }
    job.finish = true;
    stage.require(job.await() == null, "I17", "failed");
  }

  /** Its work goes on, and ends, only after the section is closed for all. */
  private static void endsAfterDrain(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode node = stage.disk("disk", stage.anyLoop()).node;
    BlockNode top = stage.filter("top", node).node;
    StagedJob job = job(stage, jobs, JobSettings.of("j"), top);
    job.start();
    stage.pause();
    DrainedSection outer = top.drain("outer");
    DrainedSection inner = node.drain("inner");
    job.finish = true;
    stage.pause();
    inner.close();
    stage.pause();
    stage.require(job.calls.isEmpty(), "I6", "the job ends inside of a section: " + job.calls);
    outer.close();
    stage.require(job.calls.isEmpty(), "I17", "closing a section ended the job");
    stage.require(job.await() == null, "I17", "failed");
  }

  private static void fail(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    StagedDisk disk = stage.disk("disk", stage.anyLoop());
    for (boolean cancels : new boolean[] {false, true}) {
      StagedJob job = job(stage, jobs, JobSettings.of("j").manual(true, false), disk.node);
      job.start();
      stage.pause();
      try (DrainedSection drained = disk.node.drain("test")) {
        if (cancels) {
          job.cancel(true);
        } else {
          job.failure = Errno.EIO;
        }
        stage.pause();
        stage.require(!job.isBusy(), "I6", "the job works in a drained section");
      }
      BlockException error = job.await();
      stage.require(
          error != null && error.errno() == (cancels ? Errno.ECANCELED : Errno.EIO),
          "I17",
          "ended with " + error);
      stage.require(job.calls.equals(List.of("abort", "clean")), "I17", "calls: " + job.calls);
      job.dismiss();
    }
  }

  private static void transaction(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode one = stage.disk("one", stage.anyLoop()).node;
    BlockNode two = stage.disk("two", stage.anyLoop()).node;
    for (int variant = 0; variant < 4; variant++) {
      JobTransaction together = new JobTransaction();
      JobSettings settings = JobSettings.of("a").manual(stage.random().nextBoolean(), false);
      StagedJob a = job(stage, jobs, settings.in(together), one);
      StagedJob b =
          job(stage, jobs, JobSettings.of("b").manual(variant != 3, false).in(together), two);
      a.start();
      b.start();
      a.finish = true;
      stage.until(() -> a.status() == JobStatus.WAITING);
      if (variant == 1) {
        b.failure = Errno.ENOSPC;
      } else if (variant == 2) {
        b.prepareFailure = Errno.EIO;
      }
      b.finish = variant != 1;
      if (variant != 1 && !(a.isAutoFinalize() && b.isAutoFinalize())) {
        stage.until(() -> b.status() == JobStatus.PENDING);
        a.finalizeJob();
      }
      a.await();
      b.await();
      boolean good = variant == 0 || variant == 3;
      stage.require((a.failure() == null) == good, "I17", "one: " + a.failure());
      stage.require((b.failure() == null) == good, "I17", "two: " + b.failure());
      stage.require(a.calls.contains(good ? "commit" : "abort"), "I17", "calls " + a.calls);
      stage.require(b.calls.contains(good ? "commit" : "abort"), "I17", "calls " + b.calls);
      a.dismiss();
      b.dismiss();
    }
  }

  private static void race(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode one = stage.disk("one", stage.anyLoop()).node;
    BlockNode two = stage.disk("two", stage.anyLoop()).node;
    JobTransaction together = new JobTransaction();
    StagedJob a = job(stage, jobs, JobSettings.of("a").in(together), one);
    StagedJob b = job(stage, jobs, JobSettings.of("b").in(together), two);
    List<String> told = StagedJob.record(jobs);
    a.start();
    b.start();
    stage.pause();
    a.failure = Errno.EIO;
    if (stage.random().nextBoolean()) {
      stage.pause();
    }
    if (jobs.find("b") != null && b.status().accepts(JobVerb.CANCEL)) {
      b.cancel(stage.random().nextBoolean());
    }
    a.await();
    b.await();
    stage.require(jobs.all().isEmpty(), "I17", "left: " + jobs.all());
    long ends =
        told.stream()
            .filter(each -> each.endsWith("Cancelled") || each.endsWith("Completed"))
            .count();
    stage.require(ends == 2, "I17", "told " + told);
  }

  private static void moves(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode node = stage.disk("disk", stage.anyLoop()).node;
    StagedJob job = job(stage, jobs, JobSettings.of("j"), node);
    job.start();
    for (int i = 0; i < 6; i++) {
      stage.graph().moveToContext(node, stage.anyLoop());
      stage.pause();
      stage.require(job.context() == node.context(), "I5", "the job has stayed behind");
    }
    job.finish = true;
    stage.require(job.await() == null, "I17", "failed");
  }
}

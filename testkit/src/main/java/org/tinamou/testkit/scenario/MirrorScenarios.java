package org.tinamou.testkit.scenario;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.IoStatus;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobStatus;
import org.tinamou.jobs.mirror.CopyMode;
import org.tinamou.jobs.mirror.MirrorJob;
import org.tinamou.jobs.mirror.MirrorSettings;
import org.tinamou.jobs.mirror.MirrorSync;

/** A disk is mirrored while its guest writes to it, and everything else happens too. */
final class MirrorScenarios {
  private static final int SECTOR_BYTES = 512;
  private static final int SECTORS = StagedDisk.SIZE_BYTES / SECTOR_BYTES;

  private static final int MANY_TURNS = 2000;

  private MirrorScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario(
            "J1 J2", "the target takes over and no write is lost", MirrorScenarios::takeOver),
        new Scenario(
            "J1 J2",
            "a write that comes while the filter is put in place is copied",
            MirrorScenarios::writeWhileFilterComes),
        new Scenario("J2", "a mirror is cancelled under its guest", MirrorScenarios::cancel),
        new Scenario("J4", "write-blocking converges under writes", MirrorScenarios::converge),
        new Scenario("J10", "no space on the target: paused, resumed", MirrorScenarios::noSpace),
        new Scenario(
            "S28", "source and target move while they are mirrored", MirrorScenarios::move),
        new Scenario("S34", "the target is dead and the mirror cancelled", MirrorScenarios::dead),
        new Scenario("J8", "what a mirror refuses", MirrorScenarios::refusals));
  }

  /** A guest that writes sector after sector and knows what it wrote last. */
  private static final class Guest {
    final int[] expected = new int[SECTORS];
    volatile boolean stop;
    private final Stage stage;
    private final BlockBackend backend;
    private final Coroutine coroutine;

    Guest(Stage stage, BlockBackend backend) {
      this.stage = stage;
      this.backend = backend;
      this.coroutine = stage.spawn(stage.anyLoop(), "guest", this::write);
    }

    private void write() throws BlockException {
      for (int i = 1; !stop; i++) {
        int sector = stage.random().nextInt(SECTORS);
        int value = 1 + i % 100;
        stage.write(backend, (long) sector * SECTOR_BYTES, value);
        expected[sector] = value;
        if (stage.random().nextInt(4) == 0) {
          Coroutine.moveTo(stage.anyLoop());
        }
      }
    }

    void finish() {
      stop = true;
      coroutine.join();
    }

    void check(BlockBackend where) throws BlockException {
      for (int i = 0; i < SECTORS; i++) {
        stage.expect(where, (long) i * SECTOR_BYTES, expected[i]);
      }
    }
  }

  private static MirrorSettings settings(Stage stage) {
    MirrorSettings all = MirrorSettings.of(MirrorSync.FULL).withGranularity(SECTOR_BYTES);
    CopyMode mode = stage.random().nextBoolean() ? CopyMode.BACKGROUND : CopyMode.WRITE_BLOCKING;
    return all.withCopyMode(mode).withBuffer(16L * SECTOR_BYTES);
  }

  /** Waits until it is ready while the guest writes, if that ever happens, else without him. */
  private static void awaitReady(Stage stage, MirrorJob job, Guest guest) {
    if (job.copyMode() == CopyMode.BACKGROUND) {
      stage.pause();
      guest.finish();
    }
    stage.until(() -> job.status() == JobStatus.READY);
  }

  private static void takeOver(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode source = stage.disk("source", stage.anyLoop()).node;
    BlockNode target = stage.disk("target", stage.anyLoop()).node;
    BlockBackend backend = stage.backend("guest", source);
    Guest guest = new Guest(stage, backend);
    stage.pause();
    MirrorJob job = MirrorJob.create(jobs, JobSettings.of("j"), source, target, settings(stage));
    job.start();
    awaitReady(stage, job, guest);
    guest.finish();
    int[] last = new int[SECTORS];
    for (int i = 0; i < SECTORS; i++) {
      stage.write(backend, (long) i * SECTOR_BYTES, i + 1);
    }
    Coroutine writer =
        stage.spawn(
            stage.anyLoop(),
            "writer",
            () -> {
              for (int i = 0; i < SECTORS; i++) {
                stage.write(backend, (long) i * SECTOR_BYTES, i + 50);
                last[i] = i + 50;
              }
            });
    job.complete();
    stage.require(job.await() == null, "I17", "failed: " + job.failure());
    writer.join();
    stage.require(backend.node() == target, "I18", "the target has not taken over");
    for (int i = 0; i < SECTORS; i++) {
      stage.expect(backend, (long) i * SECTOR_BYTES, last[i]);
    }
  }

  /** It is under way in the source until the mirror has read all of it once. */
  private static void writeWhileFilterComes(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    StagedDisk source = stage.disk("source", stage.anyLoop());
    StagedDisk target = stage.disk("target", stage.anyLoop());
    BlockBackend backend = stage.backend("guest", source.node);
    for (int i = 0; i < SECTORS; i++) {
      stage.write(backend, (long) i * SECTOR_BYTES, 1);
    }
    source.holdWrites();
    List<Coroutine> writers = new ArrayList<>();
    target.onPreparePermissions =
        () -> {
          if (backend.node() != source.node && writers.isEmpty()) { // the filter stands already
            writers.add(stage.spawn(stage.anyLoop(), "writer", () -> stage.write(backend, 0, 99)));
          }
        };
    MirrorJob job =
        MirrorJob.create(
            jobs,
            JobSettings.of("j"),
            source.node,
            target.node,
            settings(stage).withCopyMode(CopyMode.BACKGROUND));
    stage.require(!writers.isEmpty(), "J1", "nobody has written meanwhile");
    job.start();
    for (int i = 0; job.status() != JobStatus.READY && i < MANY_TURNS; i++) {
      Coroutine.yieldNow();
    }
    source.letGo();
    writers.getFirst().join();
    stage.until(() -> job.status() == JobStatus.READY);
    job.complete();
    stage.require(job.await() == null, "I17", "failed: " + job.failure());
    stage.require(backend.node() == target.node, "I18", "the target has not taken over");
    stage.expect(backend, 0, 99);
    stage.expect(backend, SECTOR_BYTES, 1);
  }

  private static void cancel(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode source = stage.disk("source", stage.anyLoop()).node;
    BlockNode target = stage.disk("target", stage.anyLoop()).node;
    BlockBackend backend = stage.backend("guest", source);
    Guest guest = new Guest(stage, backend);
    MirrorJob job = MirrorJob.create(jobs, JobSettings.of("j"), source, target, settings(stage));
    job.start();
    stage.pause();
    boolean ready = stage.random().nextBoolean();
    if (ready) {
      awaitReady(stage, job, guest);
    }
    job.cancel(!ready);
    if (ready) {
      guest.finish();
    }
    BlockException error = job.await();
    guest.finish();
    stage.require(backend.node() == source, "I18", "the source has gone");
    guest.check(backend);
    stage.require((error == null) == ready, "I17", "ended with " + error);
    if (ready && job.copyMode() == CopyMode.BACKGROUND) { // nobody wrote since it was ready
      BlockBackend copy = stage.backend("copy", target);
      guest.check(copy);
    }
  }

  private static void converge(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode source = stage.disk("source", stage.anyLoop()).node;
    BlockNode target = stage.disk("target", stage.anyLoop()).node;
    BlockBackend backend = stage.backend("guest", source);
    Guest guest = new Guest(stage, backend);
    MirrorJob job =
        MirrorJob.create(
            jobs,
            JobSettings.of("j"),
            source,
            target,
            settings(stage).withCopyMode(CopyMode.BACKGROUND));
    job.start();
    stage.pause();
    job.changeCopyMode(CopyMode.WRITE_BLOCKING);
    stage.until(() -> job.status() == JobStatus.READY);
    stage.pause();
    job.complete();
    stage.require(job.await() == null, "I19", "failed: " + job.failure());
    stage.require(backend.node() == target, "I18", "the target has not taken over");
    stage.pause();
    guest.finish();
    guest.check(backend);
  }

  private static void noSpace(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode source = stage.disk("source", stage.anyLoop()).node;
    StagedDisk target = stage.disk("target", stage.anyLoop());
    BlockBackend backend = stage.backend("guest", source);
    for (int i = 0; i < SECTORS; i++) {
      stage.write(backend, (long) i * SECTOR_BYTES, i + 1);
    }
    target.failure = Errno.ENOSPC;
    MirrorJob job =
        MirrorJob.create(
            jobs,
            JobSettings.of("j"),
            source,
            target.node,
            settings(stage).withErrorPolicies(ErrorPolicy.ENOSPC, ErrorPolicy.ENOSPC));
    job.start();
    stage.until(() -> job.status() == JobStatus.PAUSED);
    stage.require(job.ioStatus() == IoStatus.NOSPACE, "I9", "status " + job.ioStatus());
    target.failure = null;
    job.userResume();
    stage.until(() -> job.status() == JobStatus.READY);
    job.complete();
    stage.require(job.await() == null, "I17", "failed: " + job.failure());
    for (int i = 0; i < SECTORS; i++) {
      stage.expect(backend, (long) i * SECTOR_BYTES, i + 1);
    }
  }

  private static void move(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode source = stage.disk("source", stage.io1()).node;
    BlockNode target = stage.disk("target", stage.io2()).node;
    BlockBackend backend = stage.backend("guest", source);
    Guest guest = new Guest(stage, backend);
    MirrorJob job =
        MirrorJob.create(
            jobs,
            JobSettings.of("j"),
            source,
            target,
            settings(stage).withCopyMode(CopyMode.WRITE_BLOCKING));
    job.start();
    for (int i = 0; i < 4; i++) {
      stage.graph().moveToContext(stage.random().nextBoolean() ? source : target, stage.anyLoop());
      stage.require(source.context() == target.context(), "I15", "they have parted");
      stage.require(job.context() == source.context(), "I5", "the job has stayed behind");
      stage.pause();
      BlockNode drainedNode = stage.random().nextBoolean() ? source : target;
      try (DrainedSection drained = drainedNode.drain("test")) {
        stage.require(!job.isBusy(), "I6", "the job works in a drained section");
        stage.require(drainedNode.inFlightCount() == 0, "I6", "requests in a drained section");
        stage.pause();
        stage.require(drainedNode.inFlightCount() == 0, "I6", "requests in a drained section");
      }
    }
    stage.until(() -> job.status() == JobStatus.READY);
    job.complete();
    stage.require(job.await() == null, "I17", "failed: " + job.failure());
    guest.finish();
    guest.check(backend);
  }

  private static void dead(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode source = stage.disk("source", stage.anyLoop()).node;
    StagedDisk target = stage.disk("target", stage.anyLoop());
    BlockBackend backend = stage.backend("guest", source);
    Guest guest = new Guest(stage, backend);
    ErrorPolicy policy =
        List.of(ErrorPolicy.IGNORE, ErrorPolicy.STOP, ErrorPolicy.REPORT)
            .get(stage.random().nextInt(3));
    MirrorJob job =
        MirrorJob.create(
            jobs,
            JobSettings.of("j"),
            source,
            target.node,
            settings(stage).withErrorPolicies(policy, policy));
    job.start();
    stage.pause();
    target.failure = Errno.EIO;
    stage.pause();
    if (jobs.find("j") != null && policy != ErrorPolicy.REPORT) {
      job.cancel(true);
    }
    job.await();
    guest.finish();
    stage.require(backend.node() == source, "I18", "the source has gone");
    guest.check(backend);
  }

  private static void refusals(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode source = stage.disk("source", stage.main()).node;
    BlockNode target = stage.disk("target", stage.main()).node;
    MirrorSettings full = MirrorSettings.of(MirrorSync.FULL);
    JobSettings id = JobSettings.of("j");
    stage.refused(
        Errno.EINVAL,
        "Can't mirror node into itself",
        () -> MirrorJob.create(jobs, id, source, source, full));
    stage.refused(
        Errno.EINVAL,
        "Parameter 'granularity' expects a power of 2",
        () -> MirrorJob.create(jobs, id, source, target, full.withGranularity(1000)));
    stage.refused(
        Errno.EINVAL,
        "Invalid job ID '1x'",
        () -> MirrorJob.create(jobs, JobSettings.of("1x"), source, target, full));
    stage.refused(
        Errno.EINVAL,
        "Parameter 'speed' expects a non-negative value",
        () -> MirrorJob.create(jobs, id.withSpeed(-1), source, target, full));
    stage.require(jobs.all().isEmpty(), "I17", "left: " + jobs.all());
  }
}

package org.tinamou.testkit.scenario;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.ReopenChange;
import org.tinamou.jobs.BackupJob;
import org.tinamou.jobs.BackupParameters;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.WritableImages;
import org.tinamou.jobs.chain.CommitJob;
import org.tinamou.jobs.chain.CommitSettings;
import org.tinamou.jobs.chain.StreamJob;
import org.tinamou.jobs.chain.StreamSettings;
import org.tinamou.jobs.mirror.ActiveCommitJob;
import org.tinamou.jobs.mirror.MirrorJob;
import org.tinamou.jobs.mirror.MirrorSettings;
import org.tinamou.jobs.mirror.MirrorSync;

/** What happens to nodes while a job that is about to use them is created, and waits. */
final class LeavingScenarios {
  private static final MirrorSettings FULL = MirrorSettings.of(MirrorSync.FULL);
  private static final int IMAGES = 5;

  private LeavingScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario(
            "J7 S33",
            "a disk is given up while a mirror of it is created",
            stage -> disk(stage, LeavingScenarios::mirror)),
        new Scenario(
            "J7 S33",
            "a disk is given up while a backup of it is created",
            stage -> disk(stage, LeavingScenarios::backup)),
        new Scenario(
            "J7",
            "two mirrors of one disk are created at once",
            stage -> twice(stage, LeavingScenarios::mirror, 1)),
        new Scenario(
            "J7",
            "two backups of one disk are created at once",
            stage -> twice(stage, LeavingScenarios::backup, 2)),
        new Scenario(
            "J7 S33",
            "a bitmap is removed while a backup by it is created",
            LeavingScenarios::bitmap),
        new Scenario(
            "J7 S33", "a node that has gone is mirrored by nobody", LeavingScenarios::gone),
        new Scenario(
            "J7 S33",
            "a chain changes while a stream of it is created",
            stage -> chain(stage, LeavingScenarios::stream)),
        new Scenario(
            "J7 S33",
            "a chain changes while a commit of its middle is created",
            stage -> chain(stage, LeavingScenarios::commit)),
        new Scenario(
            "J7 S33",
            "a chain changes while a commit of its top is created",
            stage -> chain(stage, LeavingScenarios::commitTop)));
  }

  // --------------------------------------------------------------------------------------- disks

  /** Creates a job that copies one node to another. */
  @FunctionalInterface
  private interface Copying {
    BlockJob create(JobList jobs, String id, BlockNode source, BlockNode target)
        throws BlockException;
  }

  private static BlockJob mirror(JobList jobs, String id, BlockNode source, BlockNode target)
      throws BlockException {
    return MirrorJob.create(jobs, JobSettings.of(id), source, target, FULL);
  }

  private static BlockJob backup(JobList jobs, String id, BlockNode source, BlockNode target)
      throws BlockException {
    BackupParameters full = BackupParameters.of(source, target, BackupParameters.Sync.FULL);
    return BackupJob.create(jobs, source.graph(), JobSettings.of(id), full);
  }

  /** A job that somebody tries to create while others do something else. */
  private static final class Attempt {
    final Coroutine coroutine;
    @Nullable BlockJob job;
    @Nullable BlockException refusal;

    Attempt(Stage stage, Creation creation) {
      coroutine =
          stage.spawn(
              stage.main(),
              "create",
              () -> {
                try {
                  job = creation.create();
                } catch (BlockException refused) {
                  refusal = refused;
                }
              });
    }

    void end() throws BlockException {
      coroutine.join();
      BlockJob created = job;
      if (created != null) {
        created.cancel(true);
        created.await();
      }
    }
  }

  /** Creates a job. */
  @FunctionalInterface
  private interface Creation {
    BlockJob create() throws BlockException;
  }

  /** A disk that a guest writes to, so that nobody can drain it. */
  private static final class Busy {
    final StagedDisk disk;
    final BlockBackend guest;
    final Coroutine writer;

    Busy(Stage stage) throws BlockException {
      disk = stage.disk("source", stage.anyLoop());
      guest = stage.backend("guest", disk.node);
      disk.holdWrites();
      writer = stage.spawn(stage.anyLoop(), "writer", () -> stage.write(guest, 0, 1));
      stage.until(() -> disk.node.inFlightCount() > 0);
    }

    void letGo() {
      disk.letGo();
      writer.join();
    }
  }

  /** Both disks are given up by all others; the job keeps them, or is refused. */
  private static void disk(Stage stage, Copying copying) throws Exception {
    JobList jobs = new JobList(stage.main());
    Busy busy = new Busy(stage);
    BlockNode source = busy.disk.node;
    BlockNode target = stage.disk("target", stage.anyLoop()).node;
    Attempt attempt = new Attempt(stage, () -> copying.create(jobs, "j", source, target));
    stage.until(() -> !stage.graph().openSections().isEmpty());
    stage.release(target);
    Coroutine leaving =
        stage.spawn(
            stage.main(),
            "leave",
            () -> {
              busy.guest.close();
              stage.release(source);
            });
    stage.pause();
    busy.letGo();
    leaving.join();
    attempt.end();
    stage.require(attempt.refusal == null, "J7", "refused: " + attempt.refusal);
    stage.until(() -> stage.graph().nodes().isEmpty());
  }

  /** A disk may be backed up twice, but not mirrored. */
  private static void twice(Stage stage, Copying copying, int created) throws Exception {
    JobList jobs = new JobList(stage.main());
    Busy busy = new Busy(stage);
    List<Attempt> attempts = new ArrayList<>();
    for (String id : List.of("one", "two")) {
      BlockNode target = stage.disk("target of " + id, stage.anyLoop()).node;
      attempts.add(new Attempt(stage, () -> copying.create(jobs, id, busy.disk.node, target)));
    }
    stage.until(() -> stage.graph().openSections().size() == 2);
    busy.letGo();
    for (Attempt each : attempts) {
      each.coroutine.join();
    }
    List<BlockException> refusals = new ArrayList<>();
    for (Attempt each : attempts) {
      if (each.refusal != null) {
        refusals.add(each.refusal);
      }
      each.end();
    }
    stage.require(
        refusals.size() == 2 - created
            && refusals.stream().allMatch(each -> each.errno() == Errno.EBUSY),
        "J7",
        "refused: " + refusals);
  }

  private static void bitmap(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    Busy busy = new Busy(stage);
    BlockNode source = busy.disk.node;
    BlockNode target = stage.disk("target", stage.anyLoop()).node;
    source.bitmaps().create("b", source.lengthBytes(), 65536);
    BackupParameters parameters =
        BackupParameters.of(source, target, BackupParameters.Sync.INCREMENTAL)
            .withBitmap("b", null);
    Attempt attempt =
        new Attempt(
            stage, () -> BackupJob.create(jobs, stage.graph(), JobSettings.of("j"), parameters));
    stage.until(() -> !stage.graph().openSections().isEmpty());
    source.bitmaps().remove(source.bitmaps().get("b"));
    busy.letGo();
    attempt.end();
    BlockException refusal = attempt.refusal;
    stage.require(refusal != null && refusal.errno() == Errno.EINVAL, "J7", "refused: " + refusal);
  }

  private static void gone(Stage stage) throws Exception {
    JobList jobs = new JobList(stage.main());
    BlockNode one = stage.disk("one", stage.anyLoop()).node;
    BlockNode two = stage.disk("two", stage.anyLoop()).node;
    stage.release(two);
    String message = "Failed to find node with node-name='two'";
    for (Copying each : List.<Copying>of(LeavingScenarios::mirror, LeavingScenarios::backup)) {
      stage.refused(Errno.ENODEV, message, () -> each.create(jobs, "j", one, two));
      stage.refused(Errno.ENODEV, message, () -> each.create(jobs, "j", two, one));
    }
    stage.require(jobs.all().isEmpty(), "I17", "left: " + jobs.all());
  }

  // -------------------------------------------------------------------------------------- chains

  /** Creates a job on a chain. */
  @FunctionalInterface
  private interface Shortening {
    BlockJob create(JobList jobs, List<BlockNode> images, WritableImages writable)
        throws BlockException;
  }

  private static BlockJob stream(JobList jobs, List<BlockNode> images, WritableImages writable)
      throws BlockException {
    StreamSettings settings = new StreamSettings(ErrorPolicy.REPORT, null, null, false);
    return StreamJob.create(
        jobs, JobSettings.of("j"), images.get(3), images.get(1), null, settings, writable);
  }

  private static BlockJob commit(JobList jobs, List<BlockNode> images, WritableImages writable)
      throws BlockException {
    CommitSettings settings = new CommitSettings(ErrorPolicy.REPORT, null, null, false);
    return CommitJob.create(
        jobs,
        JobSettings.of("j"),
        images.getLast(),
        images.get(3),
        images.get(1),
        settings,
        writable);
  }

  private static BlockJob commitTop(JobList jobs, List<BlockNode> images, WritableImages writable)
      throws BlockException {
    return ActiveCommitJob.create(
        jobs,
        JobSettings.of("j"),
        images.getLast(),
        images.get(1),
        ErrorPolicy.REPORT,
        null,
        writable);
  }

  /** The job keeps what it stands on, or is refused because that stands elsewhere by now. */
  private static void chain(Stage stage, Shortening shortening) throws Exception {
    JobList jobs = new JobList(stage.main());
    WritableImages writable =
        new WritableImages(
            (node, readOnly) -> reopen(stage, node, node.options().withReadOnly(readOnly)));
    List<BlockNode> images = new ArrayList<>();
    for (int i = 0; i < IMAGES; i++) {
      BlockNode image = stage.image("image" + i, i == 0 ? null : images.getLast()).node;
      if (i < IMAGES - 1) {
        reopen(stage, image, image.options().withReadOnly(true));
      }
      images.add(image);
    }
    BlockBackend guest = stage.backend("guest", images.getLast());
    Coroutine writer = stage.spawn(stage.anyLoop(), "writer", () -> stage.write(guest, 0, 1));
    Attempt attempt = new Attempt(stage, () -> shortening.create(jobs, images, writable));
    for (int i = stage.random().nextInt(30); i > 0; i--) {
      Coroutine.yieldNow();
    }
    int cut = 1 + stage.random().nextInt(IMAGES - 1);
    BlockNode above = images.get(cut);
    try {
      stage
          .graph()
          .reopen(
              List.of(
                  new ReopenChange(
                      above,
                      above.options(),
                      null,
                      List.of(new ReopenChange.ChildChange("backing", Set.of(), null)))));
    } catch (BlockException refused) {
      stage.require(refused.errno() == Errno.EPERM, "I16", "refused: " + refused);
    }
    for (BlockNode image : images) {
      stage.release(image);
    }
    writer.join();
    attempt.end();
    guest.close();
    stage.until(() -> stage.graph().nodes().isEmpty());
  }

  private static void reopen(Stage stage, BlockNode node, NodeOptions options)
      throws BlockException {
    stage.graph().reopen(List.of(ReopenChange.of(node, options)));
  }
}

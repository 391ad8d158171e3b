package org.tinamou.testkit.scenario;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.Edge;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.Permission;
import org.tinamou.block.ReopenChange;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobStatus;
import org.tinamou.jobs.WritableImages;
import org.tinamou.jobs.chain.CommitJob;
import org.tinamou.jobs.chain.CommitSettings;
import org.tinamou.jobs.chain.ImageChain;
import org.tinamou.jobs.chain.StreamJob;
import org.tinamou.jobs.chain.StreamSettings;
import org.tinamou.jobs.mirror.ActiveCommitJob;
import org.tinamou.jobs.mirror.CopyMode;

/** Chains of images that jobs shorten while a guest writes to the top. */
final class ChainScenarios {
  private static final int SECTORS = 16;
  private static final int IMAGES = 5;
  private static final int GUEST = Permission.CONSISTENT_READ | Permission.WRITE;

  private static final int MANY_TURNS = 2000;
  private static final int FEW_TURNS = 200;

  private ChainScenarios() {}

  static List<Scenario> all() {
    return List.of(
        new Scenario("J7", "the top of a chain is committed", ChainScenarios::active),
        new Scenario(
            "J1 J7",
            "a write that comes while the filter of a commit is put in place is copied",
            ChainScenarios::writeWhileFilterComes),
        new Scenario("J7", "images in the middle are committed", ChainScenarios::middle),
        new Scenario(
            "J7",
            "an image that a commit renames is made read-only by others",
            ChainScenarios::renamed),
        new Scenario(
            "J7 G5",
            "an image that a commit renames is given up by its users",
            ChainScenarios::givenUp),
        new Scenario("J7", "a chain is streamed", ChainScenarios::stream),
        new Scenario(
            "J7 G5",
            "a stream into what cannot be written to leaves no node",
            ChainScenarios::unwritable),
        new Scenario("J7 J8", "a read fails while a chain is streamed", ChainScenarios::failing),
        new Scenario(
            "J7 S28",
            "a stream that would stand on the filter of a commit is refused",
            ChainScenarios::onAFilter),
        new Scenario("J7 J8 S28", "jobs side by side in one chain", ChainScenarios::sideBySide),
        new Scenario(
            "J7 J8",
            "a commit renames the read-only image that another one writes to",
            ChainScenarios::bothWrite));
  }

  /** Images that stand on each other, the lowest first, and a guest on the last. */
  private static final class Chain {
    final Stage stage;
    final JobList jobs;
    final WritableImages writable = new WritableImages(this::setReadOnly);
    final List<StagedImage> images = new ArrayList<>();
    final BlockBackend backend;
    final int[] expected = new int[SECTORS];
    private @Nullable Coroutine guest;
    private volatile boolean stop;

    Chain(Stage stage) throws BlockException {
      this.stage = stage;
      this.jobs = new JobList(stage.main());
      for (int i = 0; i < IMAGES; i++) {
        boolean top = i == IMAGES - 1;
        StagedImage image = stage.image("image" + i, i == 0 ? null : images.getLast().node);
        for (int sector = 0; sector < SECTORS; sector++) {
          if (stage.random().nextInt(3) == 0) {
            expected[sector] = 1 + stage.random().nextInt(100);
            image.put(sector, expected[sector]);
          }
        }
        if (!top) {
          setReadOnly(image.node, true);
        }
        images.add(image);
      }
      backend = stage.backend("guest", stage.anyLoop(), GUEST, Permission.ALL);
      backend.insert(images.getLast().node);
    }

    BlockNode node(int index) {
      return images.get(index).node;
    }

    void setReadOnly(BlockNode node, boolean readOnly) throws BlockException {
      stage.graph().reopen(List.of(ReopenChange.of(node, node.options().withReadOnly(readOnly))));
    }

    void startGuest() {
      guest = stage.spawn(stage.anyLoop(), "guest", this::use);
    }

    private void use() throws BlockException {
      for (int i = 1; !stop; i++) {
        int sector = stage.random().nextInt(SECTORS);
        long offset = (long) sector * StagedImage.SECTOR_BYTES;
        if (stage.random().nextBoolean()) {
          stage.expect(backend, offset, expected[sector]);
        } else {
          stage.write(backend, offset, 101 + i % 20);
          expected[sector] = 101 + i % 20;
        }
        if (stage.random().nextInt(4) == 0) {
          Coroutine.moveTo(stage.anyLoop());
        }
      }
    }

    void finish() throws BlockException {
      stop = true;
      Coroutine running = guest;
      if (running != null) {
        running.join();
      }
      for (int i = 0; i < SECTORS; i++) {
        stage.expect(backend, (long) i * StagedImage.SECTOR_BYTES, expected[i]);
      }
    }

    void end(BlockJob job) {
      job.await();
      stage.require(job.failure() == null, "I17", job + " failed: " + job.failure());
    }

    /** What stands on what, as the graph has it. */
    void requireChain(Integer... indexes) throws BlockException {
      List<BlockNode> wanted = new ArrayList<>();
      for (int index : indexes) {
        wanted.add(node(index));
      }
      BlockNode top = backend.node();
      List<BlockNode> found = top == null ? List.of() : ImageChain.above(top, null);
      stage.require(found.equals(wanted), "I15", "the chain is " + found);
    }

    void refuseBusy(BlockNode top, @Nullable BlockNode end) throws BlockException {
      for (BlockNode each : ImageChain.above(top, end)) {
        jobs.checkNotBlocked(each);
      }
    }
  }

  private static void active(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    chain.startGuest();
    int base = stage.random().nextInt(IMAGES - 1);
    ActiveCommitJob job =
        ActiveCommitJob.create(
            chain.jobs,
            JobSettings.of("j"),
            chain.node(IMAGES - 1),
            chain.node(base),
            ErrorPolicy.REPORT,
            null,
            chain.writable);
    Errno refusal = Stage.errorOf(() -> job.changeCopyMode(CopyMode.WRITE_BLOCKING));
    stage.require(refusal == Errno.EINVAL, "I17", "changed with " + refusal);
    job.start();
    stage.graph().moveToContext(chain.node(base), stage.anyLoop());
    chain.stop = true; // it need not be ready before the guest rests
    stage.until(() -> job.status() == JobStatus.READY);
    chain.finish();
    chain.stop = false;
    chain.startGuest();
    job.complete();
    chain.end(job);
    stage.require(backendNode(chain) == chain.node(base), "I18", "the base has not taken over");
    stage.require(!chain.node(base).isReadOnly(), "I18", "the base cannot be written to");
    chain.finish();
  }

  private static @Nullable BlockNode backendNode(Chain chain) {
    return chain.backend.node();
  }

  /** It is under way in the top until the commit has read all of it once. */
  private static void writeWhileFilterComes(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    StagedImage top = chain.images.getLast();
    StagedImage base = chain.images.getFirst();
    top.put(0, 7);
    top.holdsWrites = true;
    List<Coroutine> writers = new ArrayList<>();
    base.onPreparePermissions =
        () -> {
          if (backendNode(chain) != top.node && writers.isEmpty()) { // the filter stands already
            writers.add(
                stage.spawn(stage.anyLoop(), "writer", () -> stage.write(chain.backend, 0, 99)));
          }
        };
    BlockJob job =
        ActiveCommitJob.create(
            chain.jobs,
            JobSettings.of("j"),
            top.node,
            base.node,
            ErrorPolicy.REPORT,
            null,
            chain.writable);
    stage.require(!writers.isEmpty(), "J1", "nobody has written meanwhile");
    job.start();
    for (int i = 0; job.status() != JobStatus.READY && i < MANY_TURNS; i++) {
      Coroutine.yieldNow();
    }
    top.holdsWrites = false;
    writers.getFirst().join();
    chain.expected[0] = 99;
    stage.until(() -> job.status() == JobStatus.READY);
    job.complete();
    chain.end(job);
    stage.require(backendNode(chain) == base.node, "I18", "the base has not taken over");
    chain.finish();
  }

  private static void middle(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    chain.startGuest();
    CommitSettings settings =
        new CommitSettings(
            ErrorPolicy.REPORT, null, stage.random().nextBoolean() ? "n" : null, false);
    BlockJob job =
        CommitJob.create(
            chain.jobs,
            JobSettings.of("j"),
            chain.node(4),
            chain.node(3),
            chain.node(1),
            settings,
            chain.writable);
    job.start();
    disturb(stage, chain, job);
    chain.end(job);
    chain.requireChain(4, 1, 0);
    stage.require(chain.images.get(4).backingName != null, "I18", "the top names no other base");
    stage.require(chain.node(1).isReadOnly(), "I18", "the base can be written to");
    chain.finish();
  }

  /** A commit after which the image above says that it stands on "n". */
  private static BlockJob renaming(Chain chain) throws BlockException {
    return CommitJob.create(
        chain.jobs,
        JobSettings.of("j"),
        chain.node(4),
        chain.node(2),
        chain.node(1),
        new CommitSettings(ErrorPolicy.REPORT, null, "n", false),
        chain.writable);
  }

  private static void renamed(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    chain.startGuest();
    BlockJob job = renaming(chain);
    job.start();
    while (chain.jobs.find("j") != null) {
      chain.setReadOnly(chain.node(3), true);
      stage.pause();
    }
    chain.end(job);
    chain.requireChain(4, 3, 1, 0);
    stage.require("n".equals(chain.images.get(3).backingName), "I18", "not renamed");
    stage.require(chain.node(3).isReadOnly(), "I18", "what was read-only can be written to");
    chain.finish();
  }

  private static void bothWrite(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    chain.startGuest();
    List<BlockJob> jobs = new ArrayList<>();
    for (int top : stage.random().nextBoolean() ? new int[] {1, 3} : new int[] {3, 1}) {
      BlockJob job =
          CommitJob.create(
              chain.jobs,
              JobSettings.of("j" + top),
              chain.node(4),
              chain.node(top),
              chain.node(top - 1),
              CommitSettings.USUAL,
              chain.writable);
      job.start();
      jobs.add(job);
      for (int turns = stage.random().nextInt(FEW_TURNS); turns > 0; turns--) {
        stage.pause();
      }
    }
    for (BlockJob job : jobs) {
      chain.end(job);
    }
    chain.requireChain(4, 2, 0);
    stage.require(chain.node(2).isReadOnly(), "I18", "what was read-only can be written to");
    chain.finish();
  }

  /** A second image above those committed; the commit waits for its drained section. */
  private static void givenUp(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    chain.startGuest();
    StagedImage other = stage.image("other", chain.node(2));
    BlockJob job = renaming(chain);
    DrainedSection rest = other.node.drain("test");
    job.start();
    for (int turns = stage.random().nextInt(FEW_TURNS); turns > 0; turns--) {
      stage.pause();
    }
    stage.release(other.node);
    rest.close();
    chain.end(job);
    chain.requireChain(4, 3, 1, 0);
    chain.finish();
  }

  /** The image behind the filter is read-only, which the filter does not know of. */
  private static void unwritable(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    BlockNode target = stage.filter("filter", chain.node(2)).node;
    stage
        .backend("reader", target.context(), Permission.CONSISTENT_READ, Permission.ALL)
        .insert(target);
    stage.refused(
        Errno.EPERM,
        "Block node is read-only",
        () ->
            StreamJob.create(
                chain.jobs,
                JobSettings.of("j"),
                target,
                chain.node(0),
                null,
                StreamSettings.USUAL,
                chain.writable));
  }

  private static void stream(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    chain.startGuest();
    int target = 2 + stage.random().nextInt(3);
    boolean all = stage.random().nextBoolean();
    BlockJob job =
        StreamJob.create(
            chain.jobs,
            JobSettings.of("j"),
            chain.node(target),
            all ? null : chain.node(0),
            null,
            StreamSettings.USUAL,
            chain.writable);
    job.start();
    disturb(stage, chain, job);
    chain.end(job);
    BlockNode below = ImageChain.below(chain.node(target));
    stage.require(below == (all ? null : chain.node(0)), "I15", "stands on " + below);
    stage.require(
        chain.node(target).isReadOnly() == (target != IMAGES - 1), "I18", "read-only or not");
    chain.finish();
  }

  /** Drains, moves and pauses while a job works. */
  private static void disturb(Stage stage, Chain chain, BlockJob job) throws BlockException {
    for (int i = stage.random().nextInt(4); i > 0; i--) {
      BlockNode node = chain.node(stage.random().nextInt(IMAGES));
      switch (stage.random().nextInt(3)) {
        case 0 -> stage.graph().moveToContext(node, stage.anyLoop());
        case 1 -> {
          try (DrainedSection drained = node.drain("test")) {
            stage.require(node.inFlightCount() == 0, "I6", "requests in a drained section");
            stage.require(!job.uses(node) || !job.isBusy(), "I6", "the job works in a drain");
            stage.pause();
            stage.require(
                node.inFlightCount() == 0 || drainsAsWell(stage, node, drained),
                "I6",
                "requests in a drained section");
          }
        }
        default -> stage.pause();
      }
    }
  }

  /**
   * Whether somebody else has a node drained, who may make requests of his own: a reopen flushes.
   */
  private static boolean drainsAsWell(Stage stage, BlockNode node, DrainedSection section) {
    return stage.graph().openSections().stream()
        .anyMatch(each -> each != section && each.drains(node));
  }

  private static void failing(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    ErrorPolicy policy =
        List.of(ErrorPolicy.REPORT, ErrorPolicy.IGNORE, ErrorPolicy.STOP)
            .get(stage.random().nextInt(3));
    StreamSettings settings = new StreamSettings(policy, null, null, false);
    BlockJob job =
        StreamJob.create(
            chain.jobs, JobSettings.of("j"), chain.node(4), null, null, settings, chain.writable);
    for (StagedImage above : chain.images.subList(2, IMAGES)) {
      above.drop(0);
    }
    chain.images.get(1).put(0, 77);
    chain.expected[0] = 77;
    chain.images.get(1).failure = Errno.EIO;
    job.start();
    if (policy == ErrorPolicy.STOP) {
      stage.until(() -> job.status() == JobStatus.PAUSED || job.status() == JobStatus.NULL);
      chain.images.get(1).failure = null;
      if (job.status() == JobStatus.PAUSED) {
        job.userResume();
      }
    }
    BlockException error = job.await();
    chain.images.get(1).failure = null;
    stage.require((error == null) == (policy == ErrorPolicy.STOP), "I17", "ended with " + error);
    chain.requireChain(error == null ? new Integer[] {4} : new Integer[] {4, 3, 2, 1, 0});
    chain.finish();
  }

  /** What goes with a commit is nothing to stand on, only something to stop in front of. */
  private static void onAFilter(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    chain.startGuest();
    boolean active = stage.random().nextBoolean();
    BlockJob commit =
        active
            ? ActiveCommitJob.create(
                chain.jobs,
                JobSettings.of("c"),
                chain.node(2),
                chain.node(0),
                ErrorPolicy.REPORT,
                "filter",
                chain.writable)
            : CommitJob.create(
                chain.jobs,
                JobSettings.of("c"),
                chain.node(4),
                chain.node(2),
                chain.node(0),
                new CommitSettings(ErrorPolicy.REPORT, "filter", null, false),
                chain.writable);
    BlockNode filter = ImageChain.below(chain.node(3));
    String told = "nothing";
    try {
      streamTop(chain, chain.node(2));
    } catch (BlockException refused) {
      told = String.valueOf(refused.getMessage());
    }
    stage.require(told.equals("Cannot freeze 'backing' link to 'filter'"), "I15", "told " + told);
    Edge frozen = Objects.requireNonNull(Edge.below(chain.node(2)));
    BlockNode to = chain.node(0);
    Errno refused =
        Stage.errorOf(
            () ->
                stage
                    .graph()
                    .reopen(
                        List.of(
                            ReopenChange.of(chain.node(2), chain.node(2).options())
                                .withChild("backing", to))));
    stage.require(refused == Errno.EPERM && frozen.isFrozen(), "I15", "a frozen link has changed");
    BlockJob stream = streamTop(chain, filter);
    stream.start();
    disturb(stage, chain, stream);
    chain.end(stream);
    commit.cancel(true);
    commit.await();
    stage.require(!frozen.isFrozen(), "I15", "a link is still frozen");
    chain.requireChain(4, 2, 1, 0);
    chain.finish();
  }

  private static BlockJob streamTop(Chain chain, @Nullable BlockNode base) throws BlockException {
    return StreamJob.create(
        chain.jobs,
        JobSettings.of("s"),
        chain.node(4),
        base,
        null,
        StreamSettings.USUAL,
        chain.writable);
  }

  /** Whatever is not refused ends, and the guest sees nothing of it. */
  private static void sideBySide(Stage stage) throws Exception {
    Chain chain = new Chain(stage);
    chain.startGuest();
    List<BlockJob> started = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      BlockJob job = tryJob(stage, chain, "j" + i);
      if (job != null) {
        job.start();
        started.add(job);
        disturb(stage, chain, job);
      }
      BlockJob other =
          started.isEmpty() ? null : started.get(stage.random().nextInt(started.size()));
      if (other != null && stage.random().nextInt(4) == 0 && chain.jobs.find(other.id()) == other) {
        Stage.errorOf(() -> other.cancel(true));
      }
      stage.pause();
    }
    chain.stop = true;
    for (BlockJob job : started) {
      if (job instanceof ActiveCommitJob) {
        stage.until(() -> job.status() == JobStatus.READY || chain.jobs.find(job.id()) == null);
        if (job.status() == JobStatus.READY) {
          Stage.errorOf(job::complete); // refused if it is being cancelled
        }
      }
      BlockException error = job.await();
      stage.require(error == null || job.isCancelled(), "I17", job + " ended with " + error);
    }
    stage.require(chain.jobs.all().isEmpty(), "I17", "left: " + chain.jobs.all());
    for (BlockNode each : stage.graph().nodes()) {
      stage.require(chain.images.stream().anyMatch(i -> i.node == each), "I22", "left: " + each);
    }
    chain.finish();
  }

  /** A job on a part of the chain as it is now, or null if that is refused. */
  private static @Nullable BlockJob tryJob(Stage stage, Chain chain, String id)
      throws BlockException {
    BlockNode active = backendNode(chain);
    List<BlockNode> all = active == null ? List.of() : ImageChain.above(active, null);
    int from = stage.random().nextInt(all.size());
    int to = from + 1 + stage.random().nextInt(3);
    if (active == null || to >= all.size()) {
      return null;
    }
    BlockNode top = all.get(from);
    BlockNode base = all.get(to);
    JobSettings settings = JobSettings.of(id);
    try {
      if (stage.random().nextBoolean()) {
        chain.refuseBusy(top, base);
        return StreamJob.create(
            chain.jobs, settings, top, base, null, StreamSettings.USUAL, chain.writable);
      }
      chain.jobs.checkNotBlocked(active);
      chain.refuseBusy(top, ImageChain.below(base));
      if (from == 0) {
        return ActiveCommitJob.create(
            chain.jobs, settings, top, base, ErrorPolicy.REPORT, null, chain.writable);
      }
      BlockNode overlay = ImageChain.overlayOf(active, top);
      if (overlay != null) {
        chain.jobs.checkNotBlocked(overlay);
      }
      return CommitJob.create(
          chain.jobs, settings, active, top, base, CommitSettings.USUAL, chain.writable);
    } catch (BlockException refused) {
      return null;
    }
  }
}

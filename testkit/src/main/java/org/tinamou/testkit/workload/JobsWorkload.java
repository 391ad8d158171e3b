package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.base.ClockType;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.Permission;
import org.tinamou.jobs.BackupJob;
import org.tinamou.jobs.BackupParameters;
import org.tinamou.jobs.BackupParameters.BitmapMode;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.Job;
import org.tinamou.jobs.JobEvent;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobStatus;
import org.tinamou.jobs.JobTransaction;
import org.tinamou.jobs.mirror.CopyMode;
import org.tinamou.jobs.mirror.MirrorJob;
import org.tinamou.jobs.mirror.MirrorSettings;
import org.tinamou.jobs.mirror.MirrorSync;
import org.tinamou.testkit.net.MemoryExport;

/**
 * Disks are mirrored and backed up, to other disks and over connections that are cut, while guests
 * use them and all that can happen to a graph happens to theirs; users steer the jobs at any
 * moment. What a job promised has to be there when it has ended, and every job has to end.
 */
final class JobsWorkload extends GraphProgram {
  private static final int MOST_STEPS_TO_THE_END = 60;

  private final List<JobsDisk> disks = new ArrayList<>();
  private final Map<Job, Check> checks = new LinkedHashMap<>();
  private final List<Coroutine> speakers = new ArrayList<>();
  private final List<SimServer> servers = new ArrayList<>();
  private final Map<BlockNode, MemoryDriver> drivers = new LinkedHashMap<>();

  /** The targets of mirrors that have not told of their end, and what they are mirrors of. */
  private final Map<BlockNode, BlockNode> mirrored = new LinkedHashMap<>();

  private @Nullable JobList jobList;
  private @Nullable JobLedger ledger;
  private @Nullable AioContext serverLoop;
  private boolean cutting;
  private int names;

  /** What has to hold when a job has ended, before anybody makes a request. */
  @FunctionalInterface
  interface Check {
    void look();
  }

  JobList jobs() {
    return Objects.requireNonNull(jobList);
  }

  String newName(String kind) {
    return kind + names++;
  }

  void check(Job job, Check check) {
    checks.put(job, check);
  }

  /** The driver tells of everything that comes inside of the node's drained sections. */
  void watch(BlockNode node, MemoryDriver driver) {
    drivers.put(node, driver);
  }

  /** A filter in front of a node; nobody uses it yet. */
  BlockNode filter(BlockNode below) throws BlockException {
    return graph()
        .open(
            newName("filter"),
            false,
            random().nextBoolean() ? below.context() : anyLoop(),
            node ->
                new PassThroughDriver(
                    random(),
                    node,
                    null,
                    node.attachChild(
                        "file",
                        Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
                        below,
                        Permission.CONSISTENT_READ,
                        Permission.ALL)));
  }

  @Override
  void prepare() {
    serverLoop = simulation().newLoop("server");
  }

  @Override
  void control(Arena arena) throws Exception {
    cutting = random().nextBoolean();
    jobList = new JobList(graph().main());
    JobLedger seen = new JobLedger(simulation());
    ledger = seen;
    graph().tellDamageTo(line -> simulation().note("told", line, 0));
    jobs().addListener(seen);
    jobs().addListener(this::hear);
    for (int i = 1 + random().nextInt(2); i > 0; i--) {
      disks.add(JobsDisk.open(this, i, arena));
    }
    for (int round = 1 + random().nextInt(3); round > 0; round--) {
      round();
    }
    seen.checkAllGone();
    for (JobsDisk disk : disks) {
      disk.close();
    }
    servers.forEach(SimServer::stop);
  }

  private void round() throws Exception {
    List<Coroutine> users = new ArrayList<>();
    for (JobsDisk disk : disks) {
      disk.beginRound();
      users.addAll(disk.spawnUsers());
    }
    startJobs();
    for (int i = random().nextInt(16); i > 0; i--) {
      disturb(0);
    }
    endJobs();
    users.forEach(Coroutine::join);
    speakers.forEach(Coroutine::join);
    speakers.clear();
    for (JobsDisk disk : disks) {
      disk.endRound();
    }
  }

  // ---------------------------------------------------------------------------------------- jobs

  private void startJobs() throws BlockException {
    List<BlockJob> created = new ArrayList<>();
    JobTransaction together = random().chance(1, 4) ? new JobTransaction() : null;
    for (JobsDisk disk : disks) {
      shorten(disk);
      if (random().chance(1, 4)) {
        backupBeside(disk);
      }
      if (disk.chain != null && random().nextBoolean()) {
        continue;
      }
      BlockJob job =
          together == null && random().chance(2, 3) ? mirror(disk) : backup(disk, together);
      if (job != null) {
        created.add(job);
      }
    }
    if (together != null) {
      Objects.requireNonNull(ledger).together(created);
    }
    for (int i = random().nextInt(5); i > 0; i--) {
      Coroutine.yieldNow();
    }
    for (BlockJob job : jobs().blockJobs()) {
      if (job.status() == JobStatus.CREATED) {
        job.start();
      }
    }
  }

  /** Some jobs on the images below a disk, beside each other as far as they may be. */
  private void shorten(JobsDisk disk) throws BlockException {
    JobsChain chain = disk.chain;
    for (int i = chain == null ? 0 : random().nextInt(4); i > 0; i--) {
      BlockJob job = Objects.requireNonNull(chain).tryJob(disk, settings(null));
      if (job != null && random().nextBoolean()) {
        job.start();
      }
    }
  }

  private JobSettings settings(@Nullable JobTransaction together) {
    long speed = random().chance(1, 3) ? 5_000_000 + random().nextInt(50_000_000) : 0;
    return JobSettings.of(newName("job"))
        .withSpeed(speed)
        .manual(random().nextBoolean(), random().nextBoolean())
        .in(together);
  }

  ErrorPolicy anyPolicy() {
    return any(List.of(ErrorPolicy.values()));
  }

  /** A disk of the same size that holds nothing of use. */
  private JobsMedium target() throws BlockException {
    byte junk = (byte) (random().chance(1, 3) ? 0 : 0x77);
    if (random().chance(2, 3)) {
      Disk disk = memory(newName("target"));
      Arrays.fill(disk.driver().contents(), junk);
      drivers.put(disk.node(), disk.driver());
      return JobsMedium.memory(disk.node(), disk.driver());
    }
    MemoryExport export = new MemoryExport(random().fork(), DISK_BYTES, true);
    Arrays.fill(export.bytes(), junk);
    SimServer server = SimServer.start(Objects.requireNonNull(serverLoop), "/sim" + names, export);
    servers.add(server);
    int reconnectSeconds = random().nextBoolean() ? 0 : 1 + random().nextInt(3);
    try {
      BlockNode node = server.client(graph(), newName("target"), reconnectSeconds, anyLoop());
      return JobsMedium.remote(node, export, !cutting);
    } catch (BlockException cut) {
      return target();
    }
  }

  /** Gives a medium up that no guest uses any more. */
  void discard(JobsMedium medium) {
    drivers.remove(medium.node());
    speak("discard", () -> graph().release(medium.node()));
  }

  private @Nullable BlockJob mirror(JobsDisk disk) throws BlockException {
    JobsMedium target = target();
    MirrorSync sync = any(List.of(MirrorSync.FULL, MirrorSync.TOP, MirrorSync.NONE));
    if (disk.chain != null && sync == MirrorSync.TOP) {
      sync = MirrorSync.FULL; // the target stands on nothing
    }
    MirrorSettings settings =
        new MirrorSettings(
            sync,
            any(List.of(CopyMode.values())),
            random().nextBoolean() ? 0 : 512L << random().nextInt(4),
            512L << random().nextInt(6),
            random().nextBoolean(),
            sync != MirrorSync.NONE && allZero(target.contents()),
            anyPolicy(),
            anyPolicy(),
            null,
            null);
    BlockNode source = disk.top();
    MirrorJob job;
    // What it starts with has to be known if only what is written from now on is copied.
    boolean quiet = sync == MirrorSync.NONE;
    try (DrainedSection drained = quiet ? source.drain("a mirror is created") : null) {
      jobs().checkNotBlocked(source);
      if (sync == MirrorSync.NONE) { // only what is written from now on is copied
        System.arraycopy(disk.medium.contents(), 0, target.contents(), 0, DISK_BYTES);
      }
      job = MirrorJob.create(jobs(), settings(null), source, target.node(), settings);
    } catch (BlockException refused) {
      simulation().note("refused: " + refused.getMessage(), "mirror", 0);
      discard(target);
      return null;
    }
    mirrored.put(target.node(), source);
    checks.put(job, () -> mirrored(disk, job, target));
    return job;
  }

  /** What the target of a mirror is a copy of, as long as that has not told of its end. */
  @Nullable BlockNode mirroredTo(BlockNode target) {
    return mirrored.get(target);
  }

  private static boolean allZero(byte[] bytes) {
    for (byte each : bytes) {
      if (each != 0) {
        return false;
      }
    }
    return true;
  }

  /** A mirror has ended, well or not: who has the data now, and are both the same? */
  private void mirrored(JobsDisk disk, MirrorJob job, JobsMedium target) {
    mirrored.remove(target.node());
    if (job.failure() == null && disk.medium.isExact() && target.isExact()) {
      requireSame(disk.medium.contents(), target.contents(), "the mirror");
    }
    if (disk.nodes().contains(target.node())) {
      simulation().require(job.failure() == null, "I18", "a mirror failed and took over");
      disk.switched(target);
    } else {
      discard(target);
    }
  }

  private void requireSame(byte[] expected, byte[] found, String what) {
    int at = Arrays.mismatch(expected, found);
    if (at >= 0) {
      simulation()
          .require(
              false,
              "I18",
              "byte %d of %s is %d, not %d".formatted(at, what, found[at], expected[at]));
    }
  }

  private @Nullable BlockJob backup(JobsDisk disk, @Nullable JobTransaction together)
      throws BlockException {
    if (disk.copy == null) {
      disk.copy = target();
    }
    JobsMedium source = disk.medium;
    JobsMedium copy = disk.copy;
    BackupParameters.Sync sync =
        any(
            List.of(
                BackupParameters.Sync.FULL,
                BackupParameters.Sync.BITMAP,
                BackupParameters.Sync.INCREMENTAL,
                BackupParameters.Sync.TOP,
                BackupParameters.Sync.NONE));
    if (disk.chain != null && sync == BackupParameters.Sync.TOP) {
      sync = BackupParameters.Sync.FULL;
    }
    boolean limited =
        sync == BackupParameters.Sync.BITMAP || sync == BackupParameters.Sync.INCREMENTAL;
    BackupParameters parameters =
        BackupParameters.of(limited ? source.node() : disk.top(), copy.node(), sync)
            .onErrors(anyPolicy(), anyPolicy(), random().chance(1, 4))
            .copying(
                1 + random().nextInt(3), 0, 512L << random().nextInt(3), random().nextBoolean());
    if (limited) {
      boolean always = sync == BackupParameters.Sync.BITMAP && random().nextBoolean();
      parameters = parameters.withBitmap("b", always ? BitmapMode.ALWAYS : BitmapMode.ON_SUCCESS);
    }
    byte[] old;
    BackupJob job;
    try (DrainedSection drained = source.node().drain("a backup is created")) {
      old = source.contents().clone();
      job = BackupJob.create(jobs(), graph(), settings(together), parameters);
    } catch (BlockException refused) {
      simulation().note("refused: " + refused.getMessage(), "backup", 0);
      return null;
    }
    boolean exact = source.isExact() && copy.isExact() && sync != BackupParameters.Sync.NONE;
    checks.put(
        job,
        () -> {
          if (job.failure() == null && exact) {
            requireSame(old, copy.contents(), "the backup");
          }
        });
    return job;
  }

  /** A backup to a disk of its own, whatever else works on the source. */
  private void backupBeside(JobsDisk disk) throws BlockException {
    JobsMedium source = disk.medium;
    JobsMedium copy = target();
    BackupParameters parameters =
        BackupParameters.of(source.node(), copy.node(), BackupParameters.Sync.FULL)
            .onErrors(anyPolicy(), anyPolicy(), random().nextBoolean());
    try (DrainedSection drained = source.node().drain("another backup is created")) {
      byte[] old = source.contents().clone();
      BackupJob job = BackupJob.create(jobs(), graph(), settings(null), parameters);
      check(
          job,
          () -> {
            if (job.failure() == null && source.isExact() && copy.isExact()) {
              requireSame(old, copy.contents(), "another backup");
            }
            discard(copy);
          });
    } catch (BlockException refused) {
      simulation().note("refused: " + refused.getMessage(), "backup", 0);
      discard(copy);
    }
  }

  /** What an error has stopped goes on a while later; what has ended is looked at. */
  private void hear(JobEvent event) {
    switch (event) {
      case JobEvent.Failed(BlockJob job, boolean _, ErrorPolicy action)
          when action == ErrorPolicy.STOP ->
          speak("resume", job::userResume);
      case JobEvent.Completed(BlockJob job, var _) -> look(job);
      case JobEvent.Cancelled(BlockJob job, var _) -> look(job);
      case JobEvent.StatusChanged(Job job, JobStatus status)
          when status == JobStatus.NULL && checks.containsKey(job) ->
          look(job);
      default -> {}
    }
  }

  private void look(Job job) {
    Check check = checks.remove(job);
    if (check != null) {
      check.look();
    }
  }

  /** Something that may be refused. */
  @FunctionalInterface
  private interface Verb {
    void speak() throws BlockException;
  }

  /** Says something to the main loop, as another monitor would. */
  private void speak(String name, Verb verb) {
    speakers.add(
        graph()
            .main()
            .spawn(
                name,
                () -> {
                  try {
                    verb.speak();
                  } catch (BlockException refused) {
                    simulation().note("refused", name, 0);
                  }
                }));
  }

  /** Any verb, whether or not the job is in a state for it. */
  private void steer() {
    List<BlockJob> all = jobs().blockJobs();
    if (all.isEmpty()) {
      return;
    }
    BlockJob job = any(all);
    switch (random().nextInt(9)) {
      case 0 -> {
        if (random().chance(1, 3)) {
          boolean force = random().nextBoolean();
          speak("cancel", () -> job.cancelBlockJob(force));
        }
      }
      case 1, 2 -> {
        speak("pause", job::userPause);
        Coroutine.yieldNow();
        speak("resume", job::userResume);
      }
      case 3 -> speak("set speed", () -> job.setSpeed(random().nextInt(20_000_000)));
      case 4, 5 -> speak("complete", job::complete);
      case 6 -> speak("finalize", job::finalizeJob);
      case 7 -> speak("dismiss", job::dismiss);
      default -> {
        if (job instanceof MirrorJob mirror) {
          speak("change", () -> mirror.changeCopyMode(CopyMode.WRITE_BLOCKING));
        }
      }
    }
  }

  /** Brings all jobs to their ends, whatever they wait for. */
  private void endJobs() {
    for (int step = 0; !jobs().all().isEmpty(); step++) {
      for (BlockJob job : jobs().blockJobs()) {
        boolean late = step > MOST_STEPS_TO_THE_END && simulation().isCalm();
        end(job, late || step > 2 * MOST_STEPS_TO_THE_END);
      }
      Objects.requireNonNull(ledger).look();
      graph().main().sleep(ClockType.REALTIME, 1_000_000);
    }
  }

  private void end(BlockJob job, boolean late) {
    if (late) {
      speak("cancel", () -> job.cancel(true));
    } else if (job.isUserPaused()) {
      speak("resume", job::userResume);
    }
    switch (job.status()) {
      case READY, STANDBY -> {
        if (random().chance(1, 3)) {
          speak("cancel", () -> job.cancel(false));
        } else {
          speak("complete", job::complete);
        }
      }
      case PENDING -> speak("finalize", job::finalizeJob);
      case CONCLUDED -> speak("dismiss", job::dismiss);
      case RUNNING -> {
        if (random().chance(1, 10)) { // the one that copies before writes goes on for ever
          speak("cancel", () -> job.cancel(true));
        }
      }
      default -> {}
    }
  }

  // -------------------------------------------------------------------------------- disturbances

  private void disturb(int depth) throws BlockException {
    JobsDisk disk = any(disks);
    BlockNode node = any(disk.nodes());
    int choice = random().nextInt(14);
    simulation().note("disturb", node.name(), choice);
    switch (choice) {
      case 0, 1 -> drain(node, depth);
      case 2 -> drainAll();
      case 3, 4 -> move(node);
      case 5 -> {
        if (depth == 0) {
          try {
            disk.stackFilter();
          } catch (BlockException refused) { // a job's filter has left meanwhile
            simulation().note("refused", "filter", 0);
          }
        }
      }
      case 6 -> disk.unstackFilter();
      case 7, 8, 9 -> steer();
      case 10 -> {
        if (cutting && !simulation().isCalm()) {
          simulation().network().cutOne();
        }
      }
      case 11 -> {
        try {
          reopen(disk, node);
        } catch (BlockException refused) {
          simulation().note("refused", "reopen", 0);
        }
      }
      default -> {
        for (int i = random().nextInt(40); i > 0; i--) {
          Coroutine.yieldNow();
        }
      }
    }
  }

  private void drain(BlockNode node, int depth) throws BlockException {
    if (node.isClosed()) {
      return;
    }
    try (DrainedSection drained = node.drain("test")) {
      simulation().require(node.inFlightCount() == 0, "I6", "requests on a drained " + node);
      for (BlockJob job : jobs().blockJobs()) {
        simulation().require(!job.uses(node) || !job.isBusy(), "I6", job + " works on " + node);
      }
      MemoryDriver driver = drivers.get(node);
      if (driver != null) {
        driver.tripwire = true;
      }
      for (int i = random().nextInt(20); i > 0; i--) {
        Coroutine.yieldNow();
      }
      if (driver != null) {
        driver.tripwire = false;
      }
      if (depth < 2 && random().chance(1, 3)) {
        disturb(depth + 1);
      }
    }
  }

  private void drainAll() {
    try (DrainedSection drained = graph().drainAll("test all")) {
      for (BlockNode node : graph().nodes()) {
        simulation().require(node.inFlightCount() == 0, "I6", "requests on a drained " + node);
      }
      for (BlockJob job : jobs().blockJobs()) {
        simulation().require(!job.isBusy(), "I6", job + " works while all is drained");
      }
      Coroutine.yieldNow();
    }
  }

  private void move(BlockNode node) {
    AioContext target = anyLoop();
    try {
      graph().moveToContext(node, target);
    } catch (BlockException refused) {
      simulation().note("move refused", node.name(), 0);
    }
  }

  private void reopen(JobsDisk disk, BlockNode node) throws BlockException {
    JobsChain chain = disk.chain;
    if (chain != null && chain.contains(node)) {
      chain.reopen(node);
    } else if (node.driverOrNull() instanceof MemoryDriver && !node.isClosed()) {
      new GraphReopens(simulation(), random(), graph(), false).options(List.of(node));
    }
  }
}

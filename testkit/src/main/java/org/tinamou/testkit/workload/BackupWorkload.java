package org.tinamou.testkit.workload;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.Coroutine;
import org.tinamou.block.BlockBackend;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.Permission;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.jobs.BackupJob;
import org.tinamou.jobs.BackupParameters;
import org.tinamou.jobs.BackupParameters.BitmapMode;
import org.tinamou.jobs.BackupParameters.Sync;
import org.tinamou.jobs.Job;
import org.tinamou.jobs.JobEvent;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;

/**
 * A disk is backed up while it is used, drained and moved: a job that succeeds has made a copy of
 * the moment in which it was created. A full one comes first, then some that copy what a bitmap
 * has.
 */
final class BackupWorkload extends GraphProgram {
  private static final int GRANULARITY = 512;

  private final List<MemoryDriver> disks = new ArrayList<>();
  private final List<BlockNode> nodes = new ArrayList<>();
  private @Nullable JobList jobsOrNull;
  private int jobNumber;

  private JobList jobs() {
    return java.util.Objects.requireNonNull(jobsOrNull);
  }

  /** What an error has stopped goes on a while later. */
  private void hear(JobEvent event) {
    if (event instanceof JobEvent.Failed failed && failed.action() == ErrorPolicy.STOP) {
      Job stopped = failed.job();
      graph()
          .main()
          .spawn(
              "resume",
              () -> {
                Coroutine.yieldNow();
                try {
                  stopped.userResume();
                } catch (BlockException notPaused) {
                  simulation().note("not paused", stopped.id(), 0);
                }
              });
    }
  }

  private BlockNode disk(String name) throws BlockException {
    Disk opened = memory(name);
    disks.add(opened.driver());
    nodes.add(opened.node());
    return opened.node();
  }

  @Override
  void control(Arena arena) throws Exception {
    JobList jobs = new JobList(graph().main());
    jobsOrNull = jobs;
    jobs.addListener(this::hear);
    BlockNode source = disk("source");
    BlockNode target = disk("target");
    Arrays.fill(disks.get(1).contents(), (byte) 0x77);
    BlockBackend device =
        new BlockBackend(graph(), "device", anyLoop(), Permission.ALL, Permission.ALL);
    device.setFollowsNode(true);
    device.insert(source);
    GraphDisk disk = new GraphDisk(simulation(), device, source, disks.getFirst());
    List<GraphUser> users = new ArrayList<>();
    for (int i = 0; i < USERS; i++) {
      users.add(new GraphUser(simulation(), random(), loops(), disk, i, arena));
    }
    DirtyBitmap bitmap = source.bitmaps().create("b", DISK_BYTES, GRANULARITY);
    bitmap.mark(0, DISK_BYTES);
    for (int round = 0; round < 1 + random().nextInt(3); round++) {
      List<Coroutine> busy = new ArrayList<>();
      for (GraphUser user : users) {
        busy.add(anyLoop().spawn("user", user::use));
      }
      backUp(source, target, random().nextInt(4) == 0 ? Sync.FULL : Sync.BITMAP);
      busy.forEach(Coroutine::join);
    }
    disk.checkAccounts(simulation());
    device.close();
    graph().release(source);
    graph().release(target);
    simulation().require(jobs().all().isEmpty(), "I17", "jobs left: " + jobs().all());
  }

  private ErrorPolicy anyPolicy() {
    return ErrorPolicy.values()[random().nextInt(ErrorPolicy.values().length)];
  }

  private void backUp(BlockNode source, BlockNode target, Sync sync) throws Exception {
    boolean breaks = random().chance(1, 4);
    BitmapMode mode =
        random().nextBoolean() || sync == Sync.FULL ? BitmapMode.ON_SUCCESS : BitmapMode.ALWAYS;
    BackupParameters parameters =
        BackupParameters.of(source, target, sync)
            .withBitmap("b", mode)
            .onErrors(anyPolicy(), anyPolicy(), breaks)
            .copying(
                1 + random().nextInt(3), 0, 512L << random().nextInt(3), random().nextBoolean());
    JobSettings settings =
        JobSettings.of("job" + jobNumber++)
            .withSpeed(random().chance(1, 3) ? 5_000_000 + random().nextInt(50_000_000) : 0);
    byte[] old;
    BackupJob job;
    try (DrainedSection drained = source.drain("test")) {
      old = disks.getFirst().contents().clone();
      try {
        job = BackupJob.create(jobs(), graph(), settings, parameters);
      } catch (BlockException refused) {
        simulation().note("refused: " + refused.getMessage(), "backup", 0);
        return;
      }
    }
    for (int i = random().nextInt(5); i > 0; i--) {
      Coroutine.yieldNow();
    }
    job.start();
    for (int i = random().nextInt(8); i > 0; i--) {
      disturb(job);
    }
    BlockException failure = job.await();
    simulation().note("backup", failure == null ? "done" : "failed", jobNumber);
    if (failure == null) {
      checkCopy(old);
    }
  }

  private void checkCopy(byte[] old) {
    byte[] copy = disks.get(1).contents();
    for (int i = 0; i < DISK_BYTES; i++) {
      if (copy[i] != old[i]) {
        simulation()
            .require(
                false, "I18", "byte %d of the copy is %d, was %d".formatted(i, copy[i], old[i]));
      }
    }
  }

  private void disturb(BackupJob job) {
    int which = random().nextInt(nodes.size());
    BlockNode node = nodes.get(which);
    switch (random().nextInt(8)) {
      case 0, 1 -> {
        try (DrainedSection drained = node.drain("test")) {
          simulation().require(node.inFlightCount() == 0, "I6", "requests on a drained " + node);
          disks.get(which).tripwire = true;
          for (int i = random().nextInt(20); i > 0; i--) {
            Coroutine.yieldNow();
          }
          disks.get(which).tripwire = false;
        }
      }
      case 2, 3 -> {
        try {
          graph().moveToContext(node, anyLoop());
        } catch (BlockException refused) {
          simulation().note("move refused", node.name(), 0);
        }
      }
      case 4 -> {
        if (random().chance(1, 3)) {
          steer(() -> job.cancelBlockJob(random().nextBoolean()));
        }
      }
      case 5 -> {
        steer(job::userPause);
        Coroutine.yieldNow();
        steer(job::userResume);
      }
      default -> {
        for (int i = random().nextInt(40); i > 0; i--) {
          Coroutine.yieldNow();
        }
      }
    }
  }

  /** A verb, which the job may be in no state for. */
  @FunctionalInterface
  private interface Verb {
    void speak() throws BlockException;
  }

  private void steer(Verb verb) {
    try {
      verb.speak();
    } catch (BlockException refused) {
      simulation().note("verb refused", "job", 0);
    }
  }
}

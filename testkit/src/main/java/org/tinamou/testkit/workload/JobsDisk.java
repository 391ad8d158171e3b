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
import org.tinamou.block.Edge;
import org.tinamou.block.Permission;
import org.tinamou.block.bitmap.DirtyBitmap;

/** A guest's disk in the jobs workload: what it stands on now, and what it has to contain. */
final class JobsDisk {
  private static final int GRANULARITY = 512;

  private final JobsWorkload program;
  private final int number;
  private final List<GraphUser> users = new ArrayList<>();
  private final List<BlockNode> filters = new ArrayList<>();
  private byte[] roundBegan = new byte[0];
  private @Nullable DirtyBitmap written;

  final GraphDisk accounts;
  final BlockBackend backend;

  /** What the guest's data are in. */
  JobsMedium medium;

  /** The images that the medium is the top of; null if it stands on none. */
  @Nullable JobsChain chain;

  /** What backups of it go to; null until there was one. */
  @Nullable JobsMedium copy;

  private JobsDisk(
      JobsWorkload program,
      int number,
      JobsMedium medium,
      MemoryDriver driver,
      BlockBackend backend) {
    this.program = program;
    this.number = number;
    this.medium = medium;
    this.backend = backend;
    this.accounts = new GraphDisk(program.simulation(), backend, medium.node(), driver);
  }

  static JobsDisk open(JobsWorkload program, int number, Arena arena) throws BlockException {
    JobsChain chain = program.random().nextBoolean() ? JobsChain.open(program) : null;
    JobsMedium medium;
    MemoryDriver driver;
    if (chain == null) {
      GraphProgram.Disk disk = program.memory("disk" + number);
      medium = JobsMedium.memory(disk.node(), disk.driver());
      driver = disk.driver();
    } else {
      medium = chain.top();
      driver = LayerDriver.layer(medium.node()).own();
    }
    BlockBackend backend =
        new BlockBackend(
            program.graph(), "device" + number, program.anyLoop(), Permission.ALL, Permission.ALL);
    backend.setFollowsNode(true);
    backend.insert(medium.node());
    JobsDisk made = new JobsDisk(program, number, medium, driver, backend);
    made.chain = chain;
    for (int i = 0; i < GraphProgram.USERS; i++) {
      made.users.add(
          new GraphUser(
              program.simulation(), program.random(), program.loops(), made.accounts, i, arena));
    }
    made.users.forEach(user -> user.expect(medium.contents()));
    return made;
  }

  BlockNode top() {
    BlockNode node = backend.node();
    return node == null ? medium.node() : node;
  }

  /** All nodes from the top downwards, and those beside them that the jobs use. */
  List<BlockNode> nodes() {
    List<BlockNode> all = new ArrayList<>();
    collect(top(), all);
    return all;
  }

  /** The same as it was before a mirror took over that has not yet told of its end. */
  List<BlockNode> nodesUntilTold() {
    List<BlockNode> now = nodes();
    for (BlockNode node : now) {
      BlockNode source = program.mirroredTo(node);
      if (source != null) {
        List<BlockNode> before = new ArrayList<>();
        collect(source, before);
        return before;
      }
    }
    return now;
  }

  private static void collect(BlockNode node, List<BlockNode> all) {
    if (all.contains(node)) {
      return;
    }
    all.add(node);
    for (Edge edge : node.children()) {
      collect(edge.child(), all);
    }
  }

  // ------------------------------------------------------------------------------------- a round

  /** What is written from now on is marked; what is there now is remembered. */
  void beginRound() throws BlockException {
    JobsChain images = chain;
    if (images != null && program.random().nextBoolean()) {
      images.grow(this);
    }
    BlockNode node = medium.node();
    try (DrainedSection drained = node.drain("begin of a round")) {
      roundBegan = medium.contents().clone();
      if (node.bitmaps().find("written") == null) {
        node.bitmaps().create("written", GraphProgram.DISK_BYTES, GRANULARITY);
        node.bitmaps()
            .create("b", GraphProgram.DISK_BYTES, GRANULARITY)
            .mark(0, GraphProgram.DISK_BYTES);
      }
      written = node.bitmaps().find("written");
      if (written != null) {
        written.reset(0, GraphProgram.DISK_BYTES);
      }
    }
  }

  List<Coroutine> spawnUsers() {
    List<Coroutine> all = new ArrayList<>();
    for (GraphUser user : users) {
      all.add(program.anyLoop().spawn("user", user::use));
    }
    return all;
  }

  /** All that has changed is marked, and what was written can be read. */
  void endRound() throws BlockException {
    DirtyBitmap marks = written;
    BlockNode node = medium.node();
    if (marks != null && node.bitmaps().find("written") == marks && medium.isExact()) {
      try (DrainedSection drained = node.drain("end of a round")) {
        requireMarked(marks, medium.contents());
      }
    }
    for (GraphUser user : users) {
      user.checkAll();
    }
    sweep();
    JobsChain images = chain;
    if (images != null) {
      images.endRound(this);
      if (images.isGone()) {
        chain = null;
      }
    }
  }

  private void requireMarked(DirtyBitmap marks, byte[] now) {
    for (int at = 0; at < now.length; at++) {
      int changed = Arrays.mismatch(now, at, now.length, roundBegan, at, now.length);
      if (changed < 0) {
        return;
      }
      at += changed;
      if (marks.nextDirty(at, 1) < 0) {
        program.simulation().require(false, "I18", "byte " + at + " has changed unmarked");
      }
      at |= GRANULARITY - 1; // the same mark stands for all of these
    }
  }

  // ------------------------------------------------------------------------------------- filters

  void stackFilter() throws BlockException {
    BlockNode below = top();
    BlockNode filter = program.filter(below);
    if (top() == below) {
      program.graph().replace(below, filter);
      filters.add(filter);
    } else {
      program.graph().release(filter);
    }
  }

  /** A job that ends would leave its filter behind to whoever turns to it just then. */
  private boolean isOfJob(BlockNode node) {
    return program.jobs().blockJobs().stream().anyMatch(job -> job.uses(node));
  }

  /** Any of the filters goes, if no job works on it or on what is below. */
  void unstackFilter() throws BlockException {
    if (filters.isEmpty()) {
      return;
    }
    BlockNode filter = program.any(filters);
    Edge below = Edge.below(filter);
    if (below == null || isOfJob(filter) || isOfJob(below.child())) {
      return;
    }
    filters.remove(filter);
    program.graph().replace(filter, below.child());
    program.graph().release(filter);
  }

  /** Gives up the filters that a job has left out when it put another disk in. */
  private void sweep() {
    List<BlockNode> used = nodes();
    for (BlockNode filter : List.copyOf(filters)) {
      if (!used.contains(filter)) {
        filters.remove(filter);
        program.graph().release(filter);
      }
    }
  }

  /** The guest's data are in another medium from now on. */
  void switched(JobsMedium to) {
    JobsMedium from = medium;
    medium = to;
    accounts.leaf = to.node();
    JobsChain before = chain;
    if (before != null) {
      before.left(from.node());
    }
    program.discard(from);
  }

  void close() throws BlockException {
    accounts.checkAccounts(program.simulation());
    backend.close();
    for (BlockNode filter : filters.reversed()) {
      program.graph().release(filter);
    }
    if (chain != null) {
      chain.close(medium.node());
    }
    program.graph().release(medium.node());
    if (copy != null) {
      program.graph().release(copy.node());
    }
  }

  @Override
  public String toString() {
    return "disk" + number;
  }
}

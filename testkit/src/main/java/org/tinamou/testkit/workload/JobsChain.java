package org.tinamou.testkit.workload;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.block.ReopenChange;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.WritableImages;
import org.tinamou.jobs.chain.CommitJob;
import org.tinamou.jobs.chain.CommitSettings;
import org.tinamou.jobs.chain.ImageChain;
import org.tinamou.jobs.chain.StreamJob;
import org.tinamou.jobs.chain.StreamSettings;
import org.tinamou.jobs.mirror.ActiveCommitJob;

/**
 * Images that stand on each other below a disk of the jobs workload. What shows through one that
 * nobody writes to stays the same, whatever jobs do, but for those that a commit writes to.
 */
final class JobsChain {
  private static final int MOST_LAYERS = 5;

  private final WritableImages writable = new WritableImages(this::setReadOnly);
  private final JobsWorkload program;
  private final boolean named;

  private final Set<BlockNode> layers = new LinkedHashSet<>();

  /** Those of them that stay open although nobody uses them. */
  private final Set<BlockNode> held = new HashSet<>();

  /** What has to show through images that are not the top; of the others it is not known. */
  private final Map<BlockNode, byte[]> promised = new LinkedHashMap<>();

  private JobsChain(JobsWorkload program) {
    this.program = program;
    this.named = program.random().nextBoolean();
  }

  /** A chain of some images, for a disk. */
  static JobsChain open(JobsWorkload program) throws BlockException {
    JobsChain chain = new JobsChain(program);
    int count = 2 + program.random().nextInt(MOST_LAYERS - 1);
    int length = GraphProgram.DISK_BYTES;
    List<Integer> lengths = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      lengths.add(length);
      if (program.random().chance(1, 4)) {
        length -= (1 + program.random().nextInt(3)) * LayerDriver.SECTOR_BYTES;
      }
    }
    BlockNode below = null;
    for (int bytes : lengths.reversed()) {
      BlockNode made = chain.openLayer(bytes, below, program.anyLoop());
      LayerDriver.layer(made).own().refusedReopens = 12;
      chain.fill(LayerDriver.layer(made), bytes / LayerDriver.SECTOR_BYTES);
      if (below != null) {
        chain.isNoTopNow(below);
      }
      below = made;
    }
    return chain;
  }

  private void fill(LayerDriver layer, int sectors) {
    for (int sector = 0; sector < sectors; sector++) {
      if (program.random().chance(1, 3)) {
        boolean zero = program.random().chance(1, 4);
        layer.put(sector, (byte) (zero ? 0 : 1 + program.random().nextInt(100)));
      }
    }
  }

  private BlockNode openLayer(int bytes, @Nullable BlockNode below, AioContext loop)
      throws BlockException {
    BlockNode made =
        program
            .graph()
            .open(
                program.newName("layer"),
                NodeOptions.READ_WRITE.withDiscardUnmap(program.random().nextBoolean()),
                loop,
                node -> {
                  if (below != null) {
                    node.attachChild(
                        "backing",
                        Set.of(EdgeRole.COPY_ON_WRITE),
                        below,
                        Permission.NONE,
                        Permission.ALL);
                  }
                  return new LayerDriver(program.simulation(), program.random(), node, bytes);
                });
    layers.add(made);
    held.add(made);
    program.watch(made, LayerDriver.layer(made).own());
    return made;
  }

  /** Nobody writes to it any more. */
  private void isNoTopNow(BlockNode node) throws BlockException {
    promised.put(node, LayerDriver.layer(node).view());
    if (!named && held.remove(node)) {
      program.graph().release(node);
    }
    try {
      setReadOnly(node, true);
    } catch (BlockException refused) {
      program.simulation().note("stays writable", node.name(), 0);
    }
  }

  private void setReadOnly(BlockNode node, boolean readOnly) throws BlockException {
    program.graph().reopen(List.of(ReopenChange.of(node, node.options().withReadOnly(readOnly))));
  }

  boolean contains(BlockNode node) {
    return layers.contains(node);
  }

  /** The top of a chain that was just opened. */
  JobsMedium top() {
    return medium(List.copyOf(layers).getLast());
  }

  private static JobsMedium medium(BlockNode node) {
    return new JobsMedium(node, LayerDriver.layer(node)::view, true);
  }

  // ------------------------------------------------------------------------------------- snapshots

  /** The disk's data stay where they are, and what is written from now on goes to a new image. */
  void grow(JobsDisk disk) throws BlockException {
    if (layers.size() >= MOST_LAYERS) {
      return;
    }
    BlockNode top = disk.medium.node();
    BlockNode overlay = openLayer(GraphProgram.DISK_BYTES, top, top.context());
    program.graph().replace(top, overlay);
    disk.medium = medium(overlay);
    disk.accounts.leaf = overlay;
    try (DrainedSection drained = top.drain("snapshot")) {
      isNoTopNow(top);
    }
  }

  // ---------------------------------------------------------------------------------------
  // reopening

  /**
   * Other options for an image, or a filter between it and what it stands on, which may go again.
   */
  void reopen(BlockNode node) throws BlockException {
    Edge below = node.child("backing");
    NodeOptions options = node.options().withCacheNoFlush(program.random().nextBoolean());
    if (below == null || program.random().chance(1, 3)) {
      program.graph().reopen(List.of(ReopenChange.of(node, options)));
      return;
    }
    program.graph().reference(node); // it may leave the chain while the filter is opened
    try {
      putBelow(node, below, options);
    } finally {
      program.graph().release(node);
    }
  }

  private void putBelow(BlockNode node, Edge below, NodeOptions options) throws BlockException {
    BlockNode child = below.child();
    BlockNode image = ImageChain.unfiltered(child);
    boolean plain = child == image;
    BlockNode next = plain ? program.filter(child) : image;
    try {
      program.graph().reopen(List.of(ReopenChange.of(node, options).withChild("backing", next)));
      program.simulation().require(!below.isFrozen(), "I15", "what a job relies on has changed");
    } finally {
      if (plain) {
        program.graph().release(next);
      }
    }
  }

  // ------------------------------------------------------------------------------------------ jobs

  /** A job on a part of the chain as it is now, or null if that is refused. */
  @Nullable BlockJob tryJob(JobsDisk disk, JobSettings settings) throws BlockException {
    BlockNode active = disk.top();
    List<BlockNode> all = ImageChain.above(active, null);
    int from = program.random().chance(1, 3) ? 0 : program.random().nextInt(all.size());
    int to = from + 1 + program.random().nextInt(4);
    BlockNode base = to < all.size() ? all.get(to) : null;
    BlockNode top = all.get(from);
    try {
      if (program.random().nextBoolean()) {
        return stream(settings, top, program.random().chance(1, 4) ? null : base);
      }
      return base == null ? null : commit(disk, settings, active, top, base);
    } catch (BlockException refused) {
      program.simulation().note("refused: " + refused.getMessage(), "chain", 0);
      return null;
    }
  }

  private void refuseBusy(BlockNode top, @Nullable BlockNode end) throws BlockException {
    for (BlockNode each : ImageChain.above(top, end)) {
      program.jobs().checkNotBlocked(each);
    }
  }

  private BlockJob stream(JobSettings settings, BlockNode target, @Nullable BlockNode base)
      throws BlockException {
    refuseBusy(target, base);
    BlockNode bottom = null;
    BlockNode end = base;
    if (base != null && program.random().chance(1, 4)) {
      bottom = ImageChain.overlayOf(target, base);
      end = null;
    }
    StreamSettings how = new StreamSettings(program.anyPolicy(), null, null, false);
    StreamJob job = StreamJob.create(program.jobs(), settings, target, end, bottom, how, writable);
    boolean whole = end == null && bottom == null;
    Edge left = ImageChain.unfiltered(target).child("backing");
    program.check(
        job,
        () -> {
          if (job.failure() == null && whole) {
            Edge below = ImageChain.unfiltered(target).child("backing");
            // Who asked before the end may have given it another one since.
            boolean gone = below == null || below != left;
            program.simulation().require(gone, "I18", "a streamed image stands on one");
          }
        });
    return job;
  }

  private BlockJob commit(
      JobsDisk disk, JobSettings settings, BlockNode active, BlockNode top, BlockNode base)
      throws BlockException {
    program.jobs().checkNotBlocked(active);
    refuseBusy(top, ImageChain.below(base));
    BlockNode image = ImageChain.unfiltered(base);
    byte[] before = promised.get(ImageChain.unfiltered(top));
    if (ImageChain.unfiltered(top) == ImageChain.unfiltered(active)) {
      ActiveCommitJob job =
          ActiveCommitJob.create(
              program.jobs(), settings, top, base, program.anyPolicy(), null, writable);
      isWrittenTo(top, base);
      program.check(job, () -> committed(disk, job, image));
      return job;
    }
    BlockNode overlay = ImageChain.overlayOf(active, top);
    if (overlay != null) {
      program.jobs().checkNotBlocked(overlay);
    }
    CommitSettings how = new CommitSettings(program.anyPolicy(), null, null, false);
    CommitJob job = CommitJob.create(program.jobs(), settings, active, top, base, how, writable);
    isWrittenTo(top, base);
    program.check(
        job,
        () -> {
          if (job.failure() == null && before != null) {
            promised.put(image, before);
          }
        });
    return job;
  }

  /** What shows through the base, and through those between, is no more what it was. */
  private void isWrittenTo(BlockNode top, BlockNode base) {
    BlockNode image = ImageChain.unfiltered(base); // below the filters in front of it, if any
    for (BlockNode each : ImageChain.above(top, ImageChain.below(image))) {
      if (each != ImageChain.unfiltered(top)) {
        promised.remove(each);
      }
    }
  }

  /** The top has been committed, well or not: who has the data now? */
  private void committed(JobsDisk disk, ActiveCommitJob job, BlockNode base) {
    List<BlockNode> nodes = disk.nodesUntilTold();
    boolean tookOver = !nodes.contains(disk.medium.node());
    if (!tookOver) {
      return;
    }
    program.simulation().require(job.failure() == null, "I18", "a commit failed and took over");
    program.simulation().require(nodes.contains(base), "I18", "the base has not taken over");
    promised.remove(base);
    if (held.add(base)) {
      program.graph().reference(base);
    }
    program.simulation().require(!base.isReadOnly(), "I18", base + " cannot be written to");
    disk.switched(medium(base));
  }

  // -------------------------------------------------------------------------------- end of a round

  /** The disk has its data elsewhere, and gives up what it had them in. */
  void left(BlockNode medium) {
    layers.remove(medium);
    held.remove(medium);
    promised.remove(medium);
  }

  /** No job is there: what does not belong to the disk any more goes, the rest is looked at. */
  void endRound(JobsDisk disk) {
    List<BlockNode> used = disk.nodes();
    for (BlockNode node : List.copyOf(layers).reversed()) {
      if (!used.contains(node)) {
        forget(node);
      }
    }
    promised.forEach(this::checkPromise);
  }

  private void checkPromise(BlockNode node, byte[] expected) {
    byte[] view = Arrays.copyOf(LayerDriver.layer(node).view(), expected.length);
    int at = Arrays.mismatch(expected, view);
    if (at >= 0) {
      String what = "byte %d through %s is %d, not %d".formatted(at, node, view[at], expected[at]);
      program.simulation().require(false, "I18", what);
    }
  }

  private void forget(BlockNode node) {
    promised.remove(node);
    layers.remove(node);
    if (held.remove(node)) {
      program.graph().release(node);
    }
  }

  boolean isGone() {
    return layers.isEmpty();
  }

  /** Gives up all but the one that the disk itself gives up. */
  void close(BlockNode medium) {
    left(medium);
    for (BlockNode node : List.copyOf(layers).reversed()) {
      forget(node);
    }
  }

  @Override
  public String toString() {
    return "chain " + layers;
  }
}

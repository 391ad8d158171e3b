package org.tinamou.jobs;

import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.NodeReferences;
import org.tinamou.block.Permission;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.copy.BlockCopy;
import org.tinamou.drivers.copy.BusyRanges;
import org.tinamou.drivers.copy.CopyFailure;
import org.tinamou.drivers.filter.copybeforewrite.CopyBeforeWriteDriver;
import org.tinamou.drivers.filter.copybeforewrite.CopySettings;
import org.tinamou.jobs.BackupParameters.BitmapMode;
import org.tinamou.jobs.BackupParameters.Sync;

/**
 * Copies a disk as it is when the job is created to another one, while it is used. A filter above
 * the source has guests' writes wait until the old data are at the target; the job copies the rest.
 */
public final class BackupJob extends BlockJob {
  private final BackupParameters parameters;
  private final BlockNode filter;
  private final CopyBeforeWriteDriver driver;
  private final BlockCopy copy;
  private final long lengthBytes;
  private final @Nullable BlockNode base;
  private final @Nullable DirtyBitmap bitmap;

  // Workers run in the job's loop, and have all ended whenever it rests.
  private final AtomicInteger workers = new AtomicInteger();
  private final CoQueue workerEnds = new CoQueue("a piece of a backup");
  private final AtomicReference<@Nullable CopyFailure> failure = new AtomicReference<>();

  private BackupJob(
      JobList list,
      BlockGraph graph,
      JobSettings settings,
      BackupParameters parameters,
      Inserted inserted,
      @Nullable DirtyBitmap bitmap)
      throws BlockException {
    super(list, graph, settings, JobType.BACKUP, inserted.filter().context());
    this.parameters = parameters;
    this.filter = inserted.filter();
    this.driver = inserted.driver();
    this.copy = driver.copy();
    this.lengthBytes = parameters.source().lengthBytes();
    this.base = parameters.sync() == Sync.TOP ? firstBelow(parameters.source()) : null;
    this.bitmap = bitmap;
    copy.skipBelow(base);
    progress().setRemaining(copy.pending().countBytes());
    copy.onCopied(progress()::advance);
  }

  /** The filter, in its place above the source. */
  private record Inserted(BlockNode filter, CopyBeforeWriteDriver driver) {}

  /**
   * Creates the job: from now on what guests write over is kept. The main loop; {@link #start} has
   * it copy the rest.
   *
   * @throws BlockException in the reference's words; nothing has changed then
   */
  @InCoroutine
  public static BackupJob create(
      JobList list, BlockGraph graph, JobSettings settings, BackupParameters parameters)
      throws BlockException {
    BlockNode source = parameters.source();
    try (NodeReferences kept = NodeReferences.take(source, parameters.target())) {
      check(list, parameters);
      return createKept(list, graph, settings, parameters);
    }
  }

  private static BackupJob createKept(
      JobList list, BlockGraph graph, JobSettings settings, BackupParameters parameters)
      throws BlockException {
    BlockNode source = parameters.source();
    try (DrainedSection drained = source.drain("start of a backup");
        JobList.Creation alone = list.createAlone()) {
      DirtyBitmap bitmap = check(list, parameters); // others may have come while this waited
      return createDrained(list, graph, settings, parameters, bitmap);
    }
  }

  private static @Nullable DirtyBitmap check(JobList list, BackupParameters parameters)
      throws BlockException {
    DirtyBitmap bitmap = parameters.checkBitmap();
    parameters.check();
    list.checkNotBlocked(parameters.source());
    list.checkNotBlocked(parameters.target());
    return bitmap;
  }

  private static BackupJob createDrained(
      JobList list,
      BlockGraph graph,
      JobSettings settings,
      BackupParameters parameters,
      @Nullable DirtyBitmap bitmap)
      throws BlockException {
    Inserted inserted = insert(graph, parameters, bitmap);
    BackupJob job = null;
    try {
      checkChunk(parameters, inserted.driver().copy().clusterBytes());
      job = new BackupJob(list, graph, settings, parameters, inserted, bitmap);
      job.hold("main node", inserted.filter(), Permission.NONE, Permission.ALL);
      job.hold("target node", parameters.target(), Permission.NONE, Permission.ALL);
      if (bitmap != null) {
        parameters.checkStill(bitmap);
        parameters.source().bitmaps().createSuccessor(bitmap);
      }
      return job;
    } catch (BlockException refused) {
      if (job != null) {
        job.discardJob();
      }
      remove(graph, inserted.filter());
      throw refused;
    }
  }

  private static void checkChunk(BackupParameters parameters, long clusterBytes)
      throws BlockException {
    if (parameters.maxChunkBytes() > 0 && parameters.maxChunkBytes() < clusterBytes) {
      throw new BlockException(
          Errno.EINVAL,
          "Required max-chunk (%d) is less than backup cluster size (%d)"
              .formatted(parameters.maxChunkBytes(), clusterBytes));
    }
  }

  /** Puts the filter above the source, which is drained. */
  private static Inserted insert(
      BlockGraph graph, BackupParameters parameters, @Nullable DirtyBitmap bitmap)
      throws BlockException {
    boolean limited = parameters.sync() == Sync.INCREMENTAL || parameters.sync() == Sync.BITMAP;
    CopySettings settings =
        new CopySettings(
            parameters.breaksSnapshot(),
            0,
            parameters.clusterBytes(),
            parameters.compress(),
            parameters.discardSource(),
            parameters.useCopyRange());
    CopyBeforeWriteDriver[] driver = new CopyBeforeWriteDriver[1];
    BlockNode filter;
    try {
      filter =
          graph.open(
              parameters.filterNodeName(),
              NodeOptions.READ_WRITE.withDiscardUnmap(true),
              parameters.source().context(),
              node -> {
                Edge file =
                    node.attachChild(
                        "file",
                        EnumSet.of(EdgeRole.FILTERED, EdgeRole.PRIMARY),
                        parameters.source(),
                        Permission.CONSISTENT_READ,
                        Permission.ALL);
                Edge target =
                    node.attachChild(
                        "target",
                        EnumSet.of(EdgeRole.DATA),
                        parameters.target(),
                        Permission.CONSISTENT_READ | Permission.WRITE,
                        Permission.ALL & ~Permission.RESIZE);
                driver[0] =
                    CopyBeforeWriteDriver.open(
                        node, file, target, limited ? bitmap : null, settings);
                return driver[0];
              });
    } catch (BlockException refused) {
      throw refused.prefixed("Could not create node: ");
    }
    try {
      graph.replace(parameters.source(), filter);
    } catch (BlockException refused) {
      graph.release(filter);
      throw refused.prefixed("Could not replace node: ");
    }
    return new Inserted(filter, driver[0]);
  }

  /** What is below may be the filter of another backup that has come since. */
  private static void remove(BlockGraph graph, BlockNode filter) {
    try {
      graph.replace(filter, Objects.requireNonNull(filter.primaryChild()));
    } catch (BlockException impossible) {
      throw new IllegalStateException("a filter that does nothing cannot be removed", impossible);
    }
    graph.release(filter);
  }

  /** What shows through a node and the filters above it. */
  private static @Nullable BlockNode firstBelow(BlockNode node) {
    for (Edge at = Edge.below(node); at != null; at = Edge.below(at.child())) {
      if (at.roles().contains(EdgeRole.COPY_ON_WRITE)) {
        return at.child();
      }
    }
    return null;
  }

  // ------------------------------------------------------------------------------------ the work

  @Override
  protected void run() throws BlockException {
    if (parameters.sync() == Sync.NONE) {
      while (true) { // until it is cancelled
        refuseBroken();
        awaitEntered();
      }
    }
    if (base != null) {
      for (long at = 0; at < lengthBytes; ) {
        at += copy.forgetUnallocated(at, base);
        pausePoint();
      }
      progress().setRemaining(copy.pending().countBytes());
    }
    try {
      copyAll();
    } finally {
      awaitWorkers();
    }
  }

  private void copyAll() throws BlockException {
    long chunk = parameters.maxChunkBytes() == 0 ? Long.MAX_VALUE : parameters.maxChunkBytes();
    while (true) {
      refuseBroken();
      CopyFailure failed = failure.get();
      if (failed != null) {
        awaitWorkers();
        failure.set(null);
        ErrorPolicy policy =
            failed.reading() ? parameters.onSourceError() : parameters.onTargetError();
        if (requestFailed(policy, failed.reading(), failed.cause()) == ErrorPolicy.REPORT) {
          throw failed.cause();
        }
      }
      awaitSpeed();
      if (workers.get() >= parameters.maxWorkers()) {
        workerEnds.awaitUnless(() -> workers.get() < parameters.maxWorkers());
        continue;
      }
      BusyRanges.Range task = copy.take(0, lengthBytes, chunk);
      if (task != null) {
        accountForSpeed(task.lengthBytes());
        startWorker(task);
      } else if (!copy.awaitAnother(0, lengthBytes) && failure.get() == null) {
        return;
      }
    }
  }

  private void startWorker(BusyRanges.Range task) {
    workers.incrementAndGet();
    context()
        .spawn(
            "piece of " + id(),
            () -> {
              try {
                CopyFailure failed = copy.perform(task);
                if (failed != null) {
                  failure.compareAndSet(null, failed);
                }
              } finally {
                workers.decrementAndGet();
                workerEnds.wakeAll();
              }
            });
  }

  private void awaitWorkers() {
    while (workers.get() > 0) {
      workerEnds.awaitUnless(() -> workers.get() == 0);
    }
  }

  @Override
  protected void beforePause() {
    awaitWorkers();
  }

  @Override
  protected List<BlockNode> ownTargets() {
    return List.of(parameters.target());
  }

  /** Guests need not wait for copies any more, nor fail with them. */
  @Override
  protected void givesUp() {
    driver.abandon();
    super.givesUp();
  }

  private void refuseBroken() throws BlockException {
    BlockException broken = driver.broken();
    if (broken != null) {
      throw broken;
    }
  }

  // ------------------------------------------------------------------------------------- its end

  @Override
  protected void prepare() throws BlockException {
    refuseBroken();
  }

  @Override
  protected void commit() {
    settleBitmap(true);
  }

  @Override
  protected void abort() {
    settleBitmap(false);
  }

  private void settleBitmap(boolean success) {
    DirtyBitmap used = bitmap;
    if (used == null) {
      return;
    }
    BitmapMode mode = parameters.bitmapMode();
    boolean always = mode == BitmapMode.ALWAYS;
    if (mode == BitmapMode.NEVER || !(success || always)) {
      parameters.source().bitmaps().reclaim(used);
      return;
    }
    DirtyBitmap next = parameters.source().bitmaps().abdicate(used);
    if (!success) {
      // What has not been copied has to be next time.
      DirtyBitmap left = copy.pending();
      for (var area = left.nextDirtyArea(0, lengthBytes, Long.MAX_VALUE);
          area != null;
          area =
              left.nextDirtyArea(area.endBytes(), lengthBytes - area.endBytes(), Long.MAX_VALUE)) {
        next.mark(area.offsetBytes(), area.lengthBytes());
      }
    }
  }

  @Override
  protected void clean() {
    releaseHolds();
    remove(graph(), filter);
    super.clean();
  }
}

package org.tinamou.jobs.mirror;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.Edge;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.NodeHold;
import org.tinamou.block.NodeReferences;
import org.tinamou.block.Permission;
import org.tinamou.block.RequestFlags;
import org.tinamou.block.bitmap.DirtyArea;
import org.tinamou.block.bitmap.DirtyBitmap;
import org.tinamou.drivers.ImageDescription;
import org.tinamou.drivers.copy.ChainStatus;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobType;
import org.tinamou.jobs.JobVerb;
import org.tinamou.jobs.chain.ImageChain;

/**
 * Copies a node to another while it is in use. When both are the same it is ready: from then on it
 * keeps them so until it is completed, and the target takes the source's place, or cancelled, and
 * all is as before with the target being a copy of that moment.
 */
public class MirrorJob extends BlockJob {
  private static final long CHUNK_BYTES = 1 << 20;
  private static final int MAX_COPIES = 16;
  private static final long BUFFER_BYTES = MAX_COPIES * CHUNK_BYTES;
  private static final long RETRY_NANOS = 100_000_000;

  /** Guests that write to both sides wait for as much to become zero. */
  private static final long ZEROED_BYTES = 1 << 30;

  private final MirrorSettings settings;
  private final MirrorSwitch nodes;
  private final MirrorTop top;
  private BeforeSwitch beforeSwitch = _ -> {};
  private final NodeHold hold;
  private final MirrorTracking tracking;
  private final MirrorCopies copies;
  private final long lengthBytes;
  private final long chunkBytes;
  private final int maxCopies;
  private volatile @Nullable BlockException error;
  private volatile @Nullable String refusal;
  private volatile boolean shouldComplete;
  private volatile boolean waitBeforeRetry;
  private volatile boolean idle;
  private volatile boolean synced;
  private long cursor;
  private boolean ready;
  private final Runnable dirtyShown;
  private @Nullable DrainedSection section;

  MirrorJob(
      JobList list, JobSettings common, JobType type, MirrorSettings settings, MirrorSwitch nodes)
      throws BlockException {
    super(list, nodes.source().graph(), common, type, nodes.source().context());
    this.settings = settings;
    this.nodes = nodes;
    this.top = nodes.top();
    try {
      this.hold = hold("main node", nodes.filter(), Permission.CONSISTENT_READ, Permission.ALL);
      takeChain(nodes);
      block(nodes.source());
      block(nodes.target());
      this.lengthBytes = nodes.filter().lengthBytes();
      long cluster = clusterBytes(nodes.target());
      long granularity =
          settings.granularityBytes() == 0
              ? DirtyBitmap.defaultGranularityBytes(cluster)
              : settings.granularityBytes();
      long unit = Math.max(granularity, Long.highestOneBit(Math.max(1, cluster)));
      long buffer = settings.bufferBytes() == 0 ? BUFFER_BYTES : settings.bufferBytes();
      this.chunkBytes = Math.max(unit, chunkFor(buffer));
      this.maxCopies = Math.clamp(buffer / chunkBytes, 1, MAX_COPIES);
      this.tracking =
          new MirrorTracking(
              new DirtyBitmap(null, lengthBytes, granularity),
              unit,
              settings.copyMode(),
              this::changed,
              failed -> failed(false, failed));
    } catch (BlockException | RuntimeException refused) {
      discardJob();
      throw refused;
    }
    this.copies = new MirrorCopies(top, tracking, settings.unmap(), new CopyOwner());
    top.track(tracking);
    this.dirtyShown = nodes.source().bitmaps().show(tracking.dirty(), true);
  }

  /** What the copies tell the job. */
  private final class CopyOwner implements MirrorCopies.Owner {
    @Override
    public void copyEnded(long bytes) {
      progress().done(bytes);
      enter();
    }

    @Override
    public void copyFailed(boolean isRead, BlockException failure) {
      failed(isRead, failure);
    }
  }

  /** As many copies as may be, of what fits into the buffer. */
  private static long chunkFor(long bufferBytes) {
    return Math.clamp(Long.highestOneBit(bufferBytes / MAX_COPIES), 512, CHUNK_BYTES);
  }

  private static long clusterBytes(BlockNode node) {
    return node.driverOrNull() instanceof ImageDescription.Source image
        ? image.description().clusterBytes()
        : 0;
  }

  /** What the target needs before it takes the source's place. */
  @FunctionalInterface
  public interface BeforeSwitch {
    /** On the main loop; the source is at rest. */
    @InCoroutine
    void run(BlockNode target) throws BlockException;
  }

  /** Has something done to the target before it takes the source's place. */
  @HomeThread
  public void beforeSwitch(BeforeSwitch action) {
    beforeSwitch = action;
  }

  /**
   * A mirror that has still to be started. Its filter stands in front of the source already.
   *
   * @throws BlockException if it cannot be; nothing has changed then
   */
  @InCoroutine
  public static MirrorJob create(
      JobList list, JobSettings common, BlockNode source, BlockNode target, MirrorSettings settings)
      throws BlockException {
    refuseItself(source, target);
    settings.check();
    String replaces = settings.replaces();
    if (replaces != null && source.graph().node(replaces) == null) {
      throw new BlockException(
          Errno.ENOENT, "Failed to find node with node-name='" + replaces + "'");
    }
    // A write that came between the filter and its tracking would be seen by nobody.
    try (NodeReferences kept = NodeReferences.take(source, target);
        DrainedSection drained = source.drain("start of a mirror");
        JobList.Creation alone = list.createAlone()) {
      list.checkNotBlocked(source); // others may have come while this waited
      list.checkNotBlocked(target);
      refuseItself(source, target);
      MirrorSwitch nodes = MirrorSwitch.insert(source, target, settings, false);
      try {
        return new MirrorJob(list, common, JobType.MIRROR, settings, nodes);
      } catch (BlockException | RuntimeException refused) {
        nodes.remove();
        throw refused;
      }
    }
  }

  /** Nor into what it stands in front of: older data would be written over newer. */
  static void refuseItself(BlockNode source, BlockNode target) throws BlockException {
    if (ImageChain.unfiltered(source) == ImageChain.unfiltered(target)) {
      throw new BlockException(Errno.EINVAL, "Can't mirror node into itself");
    }
  }

  // ---------------------------------------------------------------------------------------- the
  // work

  @Override
  protected void run() throws BlockException {
    try {
      prepareTarget(top, lengthBytes);
      if (settings.sync() != MirrorSync.NONE) {
        markInitially();
      }
      while (!iterate()) {
        pausePoint();
      }
    } catch (BlockException ended) {
      top.track(null);
      throw ended;
    } finally {
      awaitCopies();
    }
  }

  /**
   * What else it relies on while it exists. Called once, while it is created.
   *
   * @throws BlockException if that is not so any more
   */
  @InCoroutine
  void takeChain(MirrorSwitch inserted) throws BlockException {}

  /** Whatever the target needs before anything is copied to it. */
  @InCoroutine
  void prepareTarget(MirrorTop filterDriver, long sourceBytes) throws BlockException {
    if (nodes.target().lengthBytes() != sourceBytes) {
      refusal = "Source and target image have different sizes";
      throw new BlockException(Errno.EINVAL, refusal);
    }
  }

  @Override
  protected @Nullable String errorText() {
    String text = refusal;
    return text == null ? super.errorText() : text;
  }

  /** Where the layers end that are copied at first, or null for all of them. */
  @Nullable BlockNode baseOfCopy() {
    Edge below = settings.sync() == MirrorSync.TOP ? Edge.below(nodes.unfilteredSource()) : null;
    return below == null ? null : below.child();
  }

  private void markInitially() throws BlockException {
    BlockNode base = baseOfCopy();
    if (base == null && !settings.targetIsZero()) {
      if (zeroesAreCheap()) {
        zeroInitially();
      } else {
        tracking.dirty().mark(0, lengthBytes);
      }
      return;
    }
    for (long at = 0; at < lengthBytes; ) {
      pausePoint();
      ChainStatus status = ChainStatus.of(top.source(), base, at, lengthBytes - at);
      boolean copied =
          base == null ? status.allocated() && !status.zero() : status.allocated() || status.zero();
      if (copied) {
        tracking.dirty().mark(at, status.lengthBytes());
      }
      at += status.lengthBytes();
    }
  }

  private boolean zeroesAreCheap() {
    return nodes.target().options().discardUnmap()
        && nodes.target().driverOrNull() instanceof BlockDriver.ZeroWriter writer
        && (writer.zeroFlags() & RequestFlags.MAY_UNMAP) != 0;
  }

  /** What the source has nothing for becomes zero on the target at once; the rest is copied. */
  private void zeroInitially() throws BlockException {
    for (long at = 0; at < lengthBytes; ) {
      pausePoint();
      long most = Math.min(lengthBytes - at, ZEROED_BYTES);
      // A guest's write to both sides comes before, and is seen here, or after.
      try (RangeQueue.Place place = tracking.ranges().enter(at, most)) {
        ChainStatus status = ChainStatus.of(top.source(), null, at, most);
        if (status.allocated() || !copies.zeroed(at, status.lengthBytes())) {
          tracking.dirty().mark(at, status.lengthBytes());
        }
        at += status.lengthBytes();
      }
    }
  }

  /** One step; true when all is done. */
  private boolean iterate() throws BlockException {
    BlockException failure = error;
    if (failure != null) {
      throw failure;
    }
    long dirty = tracking.dirty().countBytes();
    progress().setRemaining(dirty + copies.bytes() + tracking.activeBytes());
    if (waitBeforeRetry) {
      waitBeforeRetry = false;
      sleep(RETRY_NANOS);
    } else if (dirty == 0 && copies.count() == 0) {
      return atRest();
    } else if (dirty == 0 || copies.count() >= maxCopies) {
      awaitEnteredBusy();
    } else if (speedDelayNanos() > 0) {
      if (copies.count() > 0) {
        awaitEnteredBusy();
      } else {
        sleep(speedDelayNanos());
      }
    } else {
      copyNext();
    }
    return false;
  }

  private void copyNext() {
    DirtyBitmap dirty = tracking.dirty();
    DirtyArea area = dirty.nextDirtyArea(cursor, lengthBytes - cursor, chunkBytes);
    if (area == null) {
      cursor = 0;
      return;
    }
    // No chunk goes beyond the end of its own, so those of one pass never overlap.
    long chunkEnd = (area.offsetBytes() & -chunkBytes) + chunkBytes;
    long length = Math.min(area.lengthBytes(), chunkEnd - area.offsetBytes());
    RangeQueue.Place place = tracking.ranges().enter(area.offsetBytes(), length);
    long bytes = Math.min(place.endBytes(), lengthBytes) - place.startBytes();
    cursor = place.endBytes() >= lengthBytes ? 0 : place.endBytes();
    if (dirty.nextDirty(place.startBytes(), bytes) < 0) {
      place.close(); // a guest's write has done it meanwhile
      return;
    }
    dirty.reset(place.startBytes(), bytes);
    accountForSpeed(bytes);
    copies.start(context(), place, bytes);
  }

  /** Nothing differs and nothing is under way. True when that is the end of it. */
  private boolean atRest() throws BlockException {
    boolean leaving = shouldComplete || isCancelRequested();
    if ((leaving || !ready) && !flushTarget()) {
      return false;
    }
    if (!ready) {
      ready = true;
      synced = tracking.mode() == CopyMode.WRITE_BLOCKING;
      becomeReady();
    }
    synced = tracking.mode() == CopyMode.WRITE_BLOCKING;
    if (leaving) {
      return leaveForMain(this::stopGuests);
    }
    idle = true;
    if (tracking.dirty().countBytes() == 0) {
      awaitEntered();
    }
    idle = false;
    return false;
  }

  private boolean flushTarget() {
    try {
      top.target().flush();
      return true;
    } catch (BlockException failure) {
      failed(false, failure);
      return false;
    }
  }

  /** On the main loop: the guests' writes have ended, and what they wrote is on both sides. */
  private boolean stopGuests() {
    List<BlockNode> all = List.of(nodes.filter(), nodes.source(), nodes.target());
    DrainedSection drained = graph().drain(all, "end of " + id());
    if (tracking.dirty().countBytes() == 0 && error == null) {
      section = drained;
      return true;
    }
    drained.close();
    return false;
  }

  private void awaitCopies() {
    while (copies.count() > 0) {
      awaitEnteredBusy();
    }
  }

  @Override
  protected void beforePause() {
    awaitCopies();
  }

  /** A write has made source and target differ. */
  private void changed() {
    if (idle) {
      enter();
    }
  }

  private void failed(boolean isRead, BlockException failure) {
    synced = false;
    ErrorPolicy policy = isRead ? settings.onSourceError() : settings.onTargetError();
    ErrorPolicy action = requestFailed(policy, isRead, failure);
    if (action == ErrorPolicy.REPORT && error == null) {
      error = failure;
    }
    waitBeforeRetry = action == ErrorPolicy.IGNORE;
    enter();
  }

  // --------------------------------------------------------------------------------------- its
  // verbs

  @Override
  protected boolean mustAbort(boolean force) {
    return force || !isReady();
  }

  @AnyThread
  private boolean isReady() {
    return blockInfo().ready();
  }

  @Override
  protected List<BlockNode> ownTargets() {
    return List.of(nodes.target());
  }

  /** Whether the target is to take the source's place at the end. */
  final boolean isCompleting() {
    return shouldComplete;
  }

  @Override
  protected void completeNow() {
    shouldComplete = true;
    enter();
  }

  /**
   * Another copy mode while it runs.
   *
   * @throws BlockException if the job's state or the mode does not allow it
   */
  @InCoroutine
  public void changeCopyMode(CopyMode mode) throws BlockException {
    checkAccepts(JobVerb.CHANGE);
    if (mode == tracking.mode()) {
      return;
    }
    if (mode != CopyMode.WRITE_BLOCKING) {
      throw new BlockException(
          Errno.EINVAL, "Change to copy mode '" + mode.wireName() + "' is not implemented");
    }
    // Inside of a drained section no write is under way that follows the rules of the other mode.
    try (DrainedSection drained = nodes.filter().drain("copy mode of " + id())) {
      tracking.mode(mode);
    }
    enter();
  }

  @AnyThread
  public CopyMode copyMode() {
    return tracking.mode();
  }

  @Override
  protected @Nullable Boolean activelySynced() {
    return synced && tracking.dirty().countBytes() == 0;
  }

  // ----------------------------------------------------------------------------------------- its
  // end

  @Override
  protected void prepare() throws BlockException {
    if (shouldComplete) {
      beforeSwitch.run(nodes.target());
      nodes.pivot(hold);
    }
  }

  @Override
  protected void clean() {
    top.track(null);
    dirtyShown.run();
    nodes.standAside();
    releaseNodes();
    nodes.release();
    DrainedSection drained = section;
    if (drained != null) {
      section = null;
      drained.close();
    }
  }

  /** The filter in front of the source. */
  @HomeThread
  public BlockNode filter() {
    return nodes.filter();
  }

  @HomeThread
  public BlockNode target() {
    return nodes.target();
  }
}

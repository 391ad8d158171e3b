package org.tinamou.jobs;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.ClockType;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockDriver;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.IoStatus;
import org.tinamou.block.NodeHold;
import org.tinamou.block.RemotePatience;

/**
 * A job on block nodes. It holds them, so draining one of them waits until the job rests, and it
 * works in the loop of the first that it holds, wherever that goes.
 */
public abstract class BlockJob extends Job {
  private final BlockGraph graph;
  private final List<NodeHold> holds = new ArrayList<>();
  private final List<BlockNode> blocked = new ArrayList<>();
  private final List<Edge> frozen = new ArrayList<>();
  private final RateLimit rateLimit = new RateLimit();
  private volatile IoStatus ioStatus = IoStatus.OK;
  private @Nullable RemotePatience patience;

  /** The job as the holder of one node. */
  private final class Holder implements NodeHold.Owner {
    private final boolean main;

    Holder(boolean main) {
      this.main = main;
    }

    @Override
    public String describe() {
      return type().wireName() + " job '" + id() + "'";
    }

    @Override
    public void quiesce() {
      pause();
    }

    @Override
    public boolean isBusy() {
      return BlockJob.this.isBusy();
    }

    @Override
    public void unquiesce() {
      resume();
    }

    @Override
    public void moved(AioContext context) {
      if (main) {
        BlockJob.this.moved(context);
      }
    }
  }

  /**
   * A job that holds no node yet.
   *
   * @param context the loop of the node that it is going to hold first
   */
  @HomeThread
  protected BlockJob(
      JobList list, BlockGraph graph, JobSettings settings, JobType type, AioContext context)
      throws BlockException {
    super(list, settings, type, context);
    this.graph = graph;
    if (settings.speedBytesPerSecond() < 0) {
      discard();
      throw badSpeed();
    }
    rateLimit.setSpeed(settings.speedBytesPerSecond());
  }

  private static BlockException badSpeed() {
    return new BlockException(Errno.EINVAL, "Parameter 'speed' expects a non-negative value");
  }

  @AnyThread
  public final BlockGraph graph() {
    return graph;
  }

  // -------------------------------------------------------------------------------------------
  // nodes

  /**
   * Holds a node until the job ends, and keeps most commands away from it. The first one is where
   * the job lives.
   *
   * @param name of the edge, e.g. "main node"
   * @param used what the job does with it: bits of {@link org.tinamou.block.Permission}
   * @param shared what it lets others do
   */
  @InCoroutine
  protected final NodeHold hold(String name, BlockNode node, int used, int shared)
      throws BlockException {
    boolean first = holds.isEmpty();
    NodeHold hold = NodeHold.take(new Holder(first), name, node, used, shared);
    holds.add(hold);
    if (first) {
      moved(node.context());
    }
    block(node);
    return hold;
  }

  /** Keeps most commands away from a node until the job ends. */
  @HomeThread
  protected final void block(BlockNode node) {
    blocked.add(node);
    list().block(node, this);
  }

  /**
   * Checks that a job may rely on the links of a chain, from a node down to another.
   *
   * @throws BlockException if one of them leads to what goes with another job, or another job
   *     relies on it
   */
  @HomeThread
  protected static void checkFreezable(BlockNode top, @Nullable BlockNode bottom)
      throws BlockException {
    Edge at = Edge.below(top);
    while (at != null && at.parent() instanceof BlockNode parent && parent != bottom) {
      if (at.isFrozen()) {
        throw new BlockException(
            Errno.EPERM,
            "Cannot change '%s' link from '%s' to '%s'"
                .formatted(at.name(), parent.name(), at.child().name()));
      }
      at = Edge.below(at.child());
    }
    for (at = Edge.below(top); at != null && at.parent() != bottom; at = Edge.below(at.child())) {
      if (at.child().driverOrNull() instanceof BlockDriver.Unnoticed filter
          && filter.behind() != null) {
        throw new BlockException(
            Errno.EPERM, "Cannot freeze '%s' link to '%s'".formatted(at.name(), at.child().name()));
      }
    }
  }

  /** Keeps the links of a chain as they are, from a node down to another, until the job ends. */
  @HomeThread
  protected final void freeze(BlockNode top, @Nullable BlockNode bottom) {
    for (Edge at = Edge.below(top);
        at != null && at.parent() != bottom;
        at = Edge.below(at.child())) {
      at.freeze();
      frozen.add(at);
    }
  }

  /** Others, and the job itself, may change the links again. May be repeated. */
  @HomeThread
  protected final void unfreeze() {
    frozen.forEach(Edge::unfreeze);
    frozen.clear();
  }

  /**
   * The job makes no more requests through its holds; others are still kept away from the nodes, so
   * that its filters can leave. May be repeated.
   */
  @InCoroutine
  protected final void releaseHolds() {
    unfreeze();
    while (!holds.isEmpty()) {
      holds.removeLast().release();
    }
  }

  /** Lets all nodes go. May be repeated. */
  @InCoroutine
  protected final void releaseNodes() {
    releaseHolds();
    for (BlockNode node : blocked) {
      list().unblock(node, this);
    }
    blocked.clear();
  }

  /** Whether the job holds the node or has it kept from others. */
  @HomeThread
  public final boolean uses(BlockNode node) {
    return blocked.contains(node) || holds.stream().anyMatch(each -> each.node() == node);
  }

  /** For a job that could not be created in full: lets everything go. */
  @InCoroutine
  protected final void discardJob() {
    releaseNodes();
    discard();
  }

  @Override
  protected void clean() {
    releaseNodes();
  }

  @Override
  protected final void rested() {
    graph.kick();
  }

  /**
   * What it alone writes to, so that nobody else needs what is under way there when it gives up.
   */
  @HomeThread
  protected List<BlockNode> ownTargets() {
    return List.of();
  }

  /** A server that does not answer is not waited for. */
  @Override
  protected void givesUp() {
    List<BlockNode> targets = ownTargets();
    if (!targets.isEmpty()) {
      patience = RemotePatience.limit(graph, () -> targets);
    }
  }

  @Override
  final void ended() {
    RemotePatience limited = patience;
    if (limited != null) {
      patience = null;
      limited.close();
    }
  }

  // -------------------------------------------------------------------------------------------
  // speed

  /** A user sets its speed, 0 for no limit. */
  @HomeThread
  public final void setSpeed(long bytesPerSecond) throws BlockException {
    checkAccepts(JobVerb.SET_SPEED);
    if (bytesPerSecond < 0) {
      throw badSpeed();
    }
    rateLimit.setSpeed(bytesPerSecond);
    enter();
  }

  @AnyThread
  public final long speedBytesPerSecond() {
    return rateLimit.speed();
  }

  /** So much is begun just now, of what the speed limits. */
  @AnyThread
  protected final void accountForSpeed(long bytes) {
    rateLimit.account(bytes, now());
  }

  /** How long the speed makes the job wait before it begins more. */
  @AnyThread
  protected final long speedDelayNanos() {
    return rateLimit.delayNanos(now());
  }

  /** Waits, where it can be paused, until the speed lets more begin. In the work. */
  @InCoroutine
  protected final void awaitSpeed() throws BlockException {
    for (long delay = speedDelayNanos(); delay > 0; delay = speedDelayNanos()) {
      sleep(delay);
    }
    pausePoint();
  }

  private long now() {
    return context().clocks().nanos(ClockType.REALTIME);
  }

  // ------------------------------------------------------------------------------------------
  // errors

  /**
   * A request of the job has failed: tells of it, and has the job pause if the policy says stop.
   *
   * @return REPORT if the job is to fail, IGNORE if it is to go on, STOP if it is to try again when
   *     it has been resumed
   */
  @AnyThread
  protected final ErrorPolicy requestFailed(
      ErrorPolicy policy, boolean isRead, BlockException error) {
    boolean noSpace = error.errno() == Errno.ENOSPC;
    ErrorPolicy action =
        switch (policy) {
          case REPORT, IGNORE, STOP -> policy;
          case ENOSPC, AUTO -> noSpace ? ErrorPolicy.STOP : ErrorPolicy.REPORT;
        };
    list().tell(new JobEvent.Failed(this, isRead, action));
    if (action == ErrorPolicy.STOP) {
      if (ioStatus == IoStatus.OK) {
        ioStatus = noSpace ? IoStatus.NOSPACE : IoStatus.FAILED;
      }
      pauseForUser();
    }
    return action;
  }

  @Override
  protected void userResumed() {
    ioStatus = IoStatus.OK;
  }

  @AnyThread
  public final IoStatus ioStatus() {
    return ioStatus;
  }

  // ----------------------------------------------------------------------------------- verbs,
  // queries

  /**
   * The verb of block jobs: one that a user has paused is not cancelled without force.
   *
   * @param force whether it ends as cancelled where it could end well
   */
  @InCoroutine
  public final void cancelBlockJob(boolean force) throws BlockException {
    if (isUserPaused() && !force) {
      throw new BlockException(
          Errno.EBUSY, "The block job for device '%s' is currently paused".formatted(id()));
    }
    cancel(force);
  }

  /** For a mirror: whether every write goes to both sides at once; else null. */
  @AnyThread
  protected @Nullable Boolean activelySynced() {
    return null;
  }

  /** It waits to be completed from now on. In the work. */
  @InCoroutine
  protected final void becomeReady() {
    becomeReadyStatus();
    list().tell(new JobEvent.Ready(this, blockInfo()));
  }

  @AnyThread
  public final BlockJobInfo blockInfo() {
    JobStatus now = status();
    return new BlockJobInfo(
        type(),
        id(),
        progress().total(),
        progress().current(),
        isBusy(),
        isPauseWanted(),
        speedBytesPerSecond(),
        ioStatus,
        now == JobStatus.READY || now == JobStatus.STANDBY,
        now,
        isAutoFinalize(),
        isAutoDismiss(),
        errorText(),
        activelySynced());
  }

  @Override
  final void announceEnd() {
    list()
        .tell(
            isCancelled()
                ? new JobEvent.Cancelled(this, blockInfo())
                : new JobEvent.Completed(this, blockInfo()));
  }
}

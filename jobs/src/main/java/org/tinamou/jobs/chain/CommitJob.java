package org.tinamou.jobs.chain;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.Edge;
import org.tinamou.block.EdgeRole;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.NodeHold;
import org.tinamou.block.NodeReferences;
import org.tinamou.block.Permission;
import org.tinamou.block.PreallocationMode;
import org.tinamou.drivers.copy.ChainStatus;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobType;
import org.tinamou.jobs.WritableImages;

/**
 * Writes what some images in the middle of a chain hold into one below them, which then takes their
 * place. Nobody writes to them meanwhile, so one pass is enough.
 */
public final class CommitJob extends BlockJob {
  private final BlockNode active;
  private final BlockNode top;
  private final BlockNode base;
  private final CommitSettings settings;
  private final WritableImages writable;
  private WritableImages.@Nullable Hold baseHold;
  private @Nullable BlockNode filter;
  private @Nullable NodeHold source;
  private @Nullable NodeHold target;
  private boolean dropped;

  private CommitJob(
      JobList list,
      JobSettings common,
      BlockNode active,
      BlockNode top,
      BlockNode base,
      CommitSettings settings,
      WritableImages writable)
      throws BlockException {
    super(list, active.graph(), common, JobType.COMMIT, active.context());
    this.active = active;
    this.top = top;
    this.base = base;
    this.settings = settings;
    this.writable = writable;
    graph().reference(top);
    graph().reference(base);
  }

  /**
   * A commit that has still to be started. Its filter stands in front of the top already.
   *
   * @param active the top of the whole chain, which others use
   * @param top the first image that is committed, below {@code active}
   * @param base what it is written to, below {@code top}
   * @throws BlockException if it cannot be; nothing has changed then
   */
  @InCoroutine
  public static CommitJob create(
      JobList list,
      JobSettings common,
      BlockNode active,
      BlockNode top,
      BlockNode base,
      CommitSettings settings,
      WritableImages writable)
      throws BlockException {
    Check.argument(active != top, "%s is committed while it is written to", top);
    if (ImageChain.unfiltered(top) == ImageChain.unfiltered(base)) {
      throw new BlockException(Errno.EINVAL, "Invalid files for merge: top and base are the same");
    }
    checkFreezable(top, base);
    try (NodeReferences kept = NodeReferences.take(active, top, base)) {
      CommitJob job = new CommitJob(list, common, active, top, base, settings, writable);
      try {
        job.takeNodes();
        return job;
      } catch (BlockException | RuntimeException refused) {
        job.letNodesGo();
        job.discard();
        throw refused;
      }
    }
  }

  private void takeNodes() throws BlockException {
    hold("main node", active, Permission.NONE, Permission.ALL);
    baseHold = writable.hold(base);
    ImageChain.checkBelow(top, base);
    filter = CommitTop.insert(top, settings.filterNodeName());
    ImageChain.checkBelow(top, base); // others may have changed the chain while this waited
    checkFreezable(filter, base);
    freeze(filter, base);
    source = hold("intermediate node", top, Permission.CONSISTENT_READ, Permission.ALL);
    for (BlockNode each : ImageChain.above(top, base)) {
      if (each != top) {
        hold("intermediate node", each, Permission.NONE, Permission.ALL);
      }
    }
    int grows = base.lengthBytes() < top.lengthBytes() ? Permission.RESIZE : 0;
    target =
        hold(
            "base",
            base,
            Permission.CONSISTENT_READ | Permission.WRITE | grows,
            Permission.CONSISTENT_READ | Permission.WRITE_UNCHANGED);
  }

  // ------------------------------------------------------------------------------------ the work

  @Override
  protected void run() throws BlockException {
    Edge from = Objects.requireNonNull(source).edge();
    Edge to = Objects.requireNonNull(target).edge();
    long lengthBytes = from.lengthBytes();
    progress().setRemaining(lengthBytes);
    if (to.lengthBytes() < lengthBytes) {
      to.truncate(lengthBytes, false, PreallocationMode.OFF);
    }
    for (long at = 0; at < lengthBytes; ) {
      awaitSpeed();
      at += step(from, to, at, Math.min(ImageCopies.PIECE_BYTES, lengthBytes - at));
    }
  }

  /** Copies the first part of a range; returns how long it is, or 0 to try again. */
  private long step(Edge from, Edge to, long offsetBytes, long lengthBytes) throws BlockException {
    boolean[] reading = {true};
    try {
      ChainStatus status = ChainStatus.of(from, base, offsetBytes, lengthBytes);
      long length = Math.min(lengthBytes, status.lengthBytes());
      if (status.allocated()) {
        accountForSpeed(length);
        if (status.zero()) {
          reading[0] = false;
          ImageCopies.zero(to, offsetBytes, length);
        } else {
          ImageCopies.withPiece(
              length,
              piece -> {
                from.read(offsetBytes, piece, 0);
                reading[0] = false;
                to.write(offsetBytes, piece, 0);
              });
        }
      }
      progress().advance(length);
      return length;
    } catch (BlockException failed) {
      if (requestFailed(settings.onError(), reading[0], failed) == ErrorPolicy.REPORT) {
        throw failed;
      }
      return 0;
    }
  }

  // ------------------------------------------------------------------------------------- its end

  /** The images above stand on the base from now on, and say so. */
  @Override
  protected void prepare() throws BlockException {
    unfreeze();
    Objects.requireNonNull(target).setPermissions(Permission.NONE, Permission.ALL);
    BlockNode leaving = Objects.requireNonNull(filter);
    for (Edge edge : List.copyOf(leaving.parents())) {
      if (leaving.parents().contains(edge) // not closed while another one was renamed
          && edge.roles().contains(EdgeRole.COPY_ON_WRITE)
          && edge.parent() instanceof BlockNode overlay
          && !overlay.isGone()) {
        BackingLink.rename(
            overlay, base, settings.backingName(), settings.masksProtocol(), writable);
      }
    }
    graph().replace(leaving, base);
    dropped = true;
  }

  @Override
  protected void clean() {
    letNodesGo();
  }

  private void letNodesGo() {
    releaseHolds();
    BlockNode leaving = filter;
    if (leaving != null) {
      filter = null;
      if (!dropped) {
        standAside(leaving);
      }
      graph().release(leaving);
    }
    if (baseHold != null) {
      baseHold.end();
    }
    releaseNodes();
    graph().release(base);
    graph().release(top);
  }

  private void standAside(BlockNode leaving) {
    try {
      graph().replace(leaving, top);
    } catch (BlockException refused) {
      throw new IllegalStateException("a filter cannot leave", refused);
    }
  }
}

package org.tinamou.jobs.mirror;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.NodeReferences;
import org.tinamou.block.PreallocationMode;
import org.tinamou.jobs.JobList;
import org.tinamou.jobs.JobSettings;
import org.tinamou.jobs.JobType;
import org.tinamou.jobs.WritableImages;
import org.tinamou.jobs.chain.ImageChain;

/**
 * Writes what the images of a chain hold, from the top on which is in use, into one below: a mirror
 * whose target is part of its source. When it is completed the base takes the place of the top.
 */
public final class ActiveCommitJob extends MirrorJob {
  private final BlockNode base;
  private final WritableImages.Hold baseHold;
  private final boolean topIsReadOnly;
  private boolean switched;

  private ActiveCommitJob(
      JobList list,
      JobSettings common,
      MirrorSettings settings,
      MirrorSwitch nodes,
      WritableImages.Hold baseHold)
      throws BlockException {
    super(list, common, JobType.COMMIT, settings, nodes);
    this.base = nodes.target();
    this.baseHold = baseHold;
    this.topIsReadOnly = nodes.source().isReadOnly();
  }

  @Override
  void takeChain(MirrorSwitch inserted) throws BlockException {
    BlockNode top = inserted.source();
    BlockNode lowest = inserted.target();
    ImageChain.checkBelow(top, lowest); // others may have changed the chain while this waited
    checkFreezable(inserted.filter(), lowest);
    freeze(inserted.filter(), lowest);
    for (BlockNode each : ImageChain.above(top, lowest)) {
      if (each != top) {
        block(each);
      }
    }
  }

  /**
   * A commit that has still to be started. Its filter stands in front of the top already.
   *
   * @param onError what a failed read or write does
   * @param filterNodeName the name of the filter, or null
   * @throws BlockException if it cannot be; nothing has changed then
   */
  @InCoroutine
  public static ActiveCommitJob create(
      JobList list,
      JobSettings common,
      BlockNode top,
      BlockNode base,
      ErrorPolicy onError,
      @Nullable String filterNodeName,
      WritableImages writable)
      throws BlockException {
    MirrorJob.refuseItself(top, base);
    MirrorSettings settings =
        MirrorSettings.of(MirrorSync.TOP)
            .withErrorPolicies(onError, onError)
            .withFilterNodeName(filterNodeName);
    settings.check();
    checkFreezable(top, base);
    WritableImages.@Nullable Hold hold = null;
    try (NodeReferences kept = NodeReferences.take(top, base)) {
      hold = writable.hold(base);
      ImageChain.checkBelow(top, base);
      return start(list, common, settings, top, base, hold);
    } catch (BlockException | RuntimeException refused) {
      if (hold != null) {
        hold.end();
      }
      throw refused;
    }
  }

  private static ActiveCommitJob start(
      JobList list,
      JobSettings common,
      MirrorSettings settings,
      BlockNode top,
      BlockNode base,
      WritableImages.Hold hold)
      throws BlockException {
    MirrorSwitch nodes = null;
    try (DrainedSection drained = top.drain("start of a commit");
        JobList.Creation alone = list.createAlone()) {
      ImageChain.checkBelow(top, base); // others may have come while this waited
      for (BlockNode each : ImageChain.above(top, ImageChain.below(base))) {
        list.checkNotBlocked(each);
      }
      nodes = MirrorSwitch.insert(top, base, settings, true);
      return new ActiveCommitJob(list, common, settings, nodes, hold);
    } catch (BlockException | RuntimeException refused) {
      if (nodes != null) {
        nodes.remove();
      }
      throw refused;
    }
  }

  /** The base becomes as long as the top. */
  @Override
  void prepareTarget(MirrorTop top, long lengthBytes) throws BlockException {
    if (base.lengthBytes() < lengthBytes) {
      top.target().truncate(lengthBytes, false, PreallocationMode.OFF);
    }
  }

  /** Refused: what is written beyond the end of a shorter base could not follow at once. */
  @Override
  @InCoroutine
  public void changeCopyMode(CopyMode mode) throws BlockException {
    throw new BlockException(Errno.EINVAL, "Job type does not support change");
  }

  /** None: the base is read by who uses the top. */
  @Override
  protected List<BlockNode> ownTargets() {
    return List.of();
  }

  @Override
  BlockNode baseOfCopy() {
    return base;
  }

  @Override
  protected @Nullable Boolean activelySynced() {
    return null;
  }

  @Override
  protected void prepare() throws BlockException {
    unfreeze();
    super.prepare();
    switched = isCompleting();
  }

  @Override
  protected void clean() {
    unfreeze();
    super.clean();
    if (switched) {
      baseHold.setReadOnlyAfter(topIsReadOnly);
    }
    baseHold.end();
  }
}

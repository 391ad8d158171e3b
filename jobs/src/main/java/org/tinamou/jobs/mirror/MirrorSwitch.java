package org.tinamou.jobs.mirror;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.block.BlockGraph;
import org.tinamou.block.BlockNode;
import org.tinamou.block.DrainedSection;
import org.tinamou.block.NodeHold;
import org.tinamou.block.NodeOptions;
import org.tinamou.block.Permission;
import org.tinamou.jobs.chain.ImageChain;

/** The nodes of a mirror, and how they stand in the graph before, during and after. Main loop. */
final class MirrorSwitch {
  private final BlockNode source;
  private final BlockNode target;
  private final BlockNode filter;
  private final MirrorTop top;
  private final @Nullable String replaces;
  private boolean switched;

  private MirrorSwitch(
      BlockNode source,
      BlockNode target,
      BlockNode filter,
      MirrorTop top,
      @Nullable String replaces) {
    this.source = source;
    this.target = target;
    this.filter = filter;
    this.top = top;
    this.replaces = replaces;
  }

  /** Puts the filter in front of the source; the target goes to the source's loop. */
  @InCoroutine
  static MirrorSwitch insert(
      BlockNode source, BlockNode target, MirrorSettings settings, boolean targetIsBelow)
      throws BlockException {
    BlockGraph graph = source.graph();
    MirrorTop[] made = new MirrorTop[1];
    NodeOptions options =
        NodeOptions.READ_WRITE.withReadOnly(source.isReadOnly()).withDiscardUnmap(true);
    graph.reference(source);
    graph.reference(target);
    BlockNode filter = null;
    try {
      filter =
          graph.open(
              settings.filterNodeName(),
              options,
              source.context(),
              node -> made[0] = MirrorTop.open(node, source, target, targetIsBelow));
      graph.replace(source, filter);
      useTarget(filter, source, made[0]);
    } catch (BlockException | RuntimeException refused) {
      if (filter != null) {
        graph.release(filter);
      }
      graph.release(target);
      graph.release(source);
      throw refused;
    }
    return new MirrorSwitch(source, target, filter, made[0], settings.replaces());
  }

  /** Only now: what is above the source lets a target below be written to since it is filtered. */
  private static void useTarget(BlockNode filter, BlockNode source, MirrorTop top)
      throws BlockException {
    BlockGraph graph = source.graph();
    try {
      graph.changeNeeds(filter, top::useTarget, top::releaseTarget);
    } catch (BlockException refused) {
      graph.replace(filter, source);
      throw refused;
    }
  }

  @HomeThread
  BlockNode source() {
    return source;
  }

  @HomeThread
  BlockNode target() {
    return target;
  }

  @HomeThread
  BlockNode filter() {
    return filter;
  }

  @HomeThread
  MirrorTop top() {
    return top;
  }

  /** The source, or what it is if it is a filter. */
  BlockNode unfilteredSource() {
    return ImageChain.unfiltered(source);
  }

  /**
   * The target takes its place. All are drained.
   *
   * @param hold of the job on the filter
   */
  @InCoroutine
  void pivot(NodeHold hold) throws BlockException {
    BlockGraph graph = source.graph();
    BlockNode other = replaces == null ? null : graph.node(replaces);
    if (replaces != null && other == null) {
      throw new BlockException(
          Errno.ENOENT, "Failed to find node with node-name='" + replaces + "'");
    }
    graph.changeNeeds(filter, top::releaseTarget, top::useTarget);
    hold.setPermissions(Permission.NONE, Permission.ALL);
    BlockNode replaced = other == null ? source : other;
    graph.replace(replaced, target, edge -> edge.parent() != filter);
    if (other == null) {
      graph.replace(filter, target);
      switched = true;
    }
  }

  /** Nobody comes through the filter any more. */
  @InCoroutine
  void standAside() {
    if (switched) {
      return;
    }
    switched = true;
    // A guest's write that began while it went to both sides ends before the target is let go.
    try (DrainedSection drained = filter.drain("end of a mirror")) {
      source.graph().changeNeeds(filter, top::releaseTarget, top::useTarget);
      source.graph().replace(filter, source);
    } catch (BlockException refused) {
      throw new IllegalStateException("a filter cannot leave", refused);
    }
  }

  /** Gives up the nodes; the filter goes. */
  @InCoroutine
  void release() {
    BlockGraph graph = source.graph();
    graph.release(filter);
    graph.release(target);
    graph.release(source);
  }

  /** As if it had never been there. */
  @InCoroutine
  void remove() {
    standAside();
    release();
  }
}

package org.tinamou.block;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.ReopenChange.ChildChange;

/**
 * Several nodes get other options and children, all or none: everything is planned and prepared
 * beside the graph, which then changes in one go. Main loop; the nodes are drained.
 */
final class Reopen {
  private final List<ReopenChange> changes;
  private final GraphPlan plan = new GraphPlan();
  private final PermissionUpdate permissions = new PermissionUpdate(plan);
  private final Map<ReopenChange, BlockDriver.PreparedReopen> prepared = new LinkedHashMap<>();
  private final List<BlockNode> released = new ArrayList<>();
  private final Map<BlockNode, Long> lengthsBefore = new LinkedHashMap<>();
  private @Nullable ContextMove move;

  Reopen(List<ReopenChange> changes) {
    this.changes = changes;
  }

  // --------------------------------------------------------------------------------- preparing

  /**
   * Prepares everything, or nothing.
   *
   * @param drained what is drained
   * @return false if it has to be drained once more, {@link #nodesToMove} too
   */
  @InCoroutine
  boolean prepare(Set<BlockNode> drained) throws BlockException {
    Set<BlockNode> seen = new HashSet<>();
    for (ReopenChange change : changes) {
      if (!seen.add(change.node())) {
        throw new BlockException(
            Errno.EINVAL, "Node '%s' is reopened twice".formatted(change.node().name()));
      }
      planOne(change);
    }
    plan.refuseCycles();
    // Whoever moved them first, in a section of its own, may have left them work to do.
    if (!planMoves(drained) || !NodeWork.isNothingQueued(seen)) {
      return false;
    }
    try {
      for (ReopenChange change : changes) {
        prepareDriver(change);
      }
      permissions.prepare();
    } catch (BlockException | RuntimeException refused) {
      abortDrivers();
      throw refused;
    }
    return true;
  }

  /** What has to go to another loop. */
  Set<BlockNode> nodesToMove() {
    return move == null ? Set.of() : new LinkedHashSet<>(move.nodes());
  }

  private void planOne(ReopenChange change) throws BlockException {
    BlockNode node = change.node();
    Check.state(!node.isClosed(), "%s is closed", node);
    lengthsBefore.put(node, node.lengthBytes());
    change.options().check();
    if (change.options().forceShare() != node.options().forceShare()) {
      throw new BlockException(Errno.EINVAL, "Cannot change the option 'force-share'");
    }
    plan.change(node, change.options());
    permissions.add(node);
    for (ChildChange child : change.children()) {
      planChild(node, child);
    }
  }

  private void planChild(BlockNode node, ChildChange change) throws BlockException {
    Edge edge = node.child(change.name());
    BlockNode target = change.child();
    if (edge == null && target != null) {
      edge = new Edge(node, change.name(), change.roles(), target);
      edge.permissions(Permission.NONE, Permission.ALL);
      plan.point(edge, target);
      permissions.add(target);
    } else if (edge != null && edge.child() != target && edge.isFrozen()) {
      throw new BlockException(
          Errno.EPERM,
          "Cannot change frozen '%s' link from '%s' to '%s'"
              .formatted(edge.name(), node.name(), edge.child().name()));
    } else if (edge != null && target == null) {
      plan.remove(edge);
      permissions.add(edge.child());
    } else if (edge != null && target != null && edge.child() != target) {
      plan.point(edge, target);
      permissions.add(edge.child());
      permissions.add(target);
    }
  }

  /** A child in another loop comes to its parent's, or the parents go to the child's. */
  private boolean planMoves(Set<BlockNode> drained) throws BlockException {
    for (ReopenChange change : changes) {
      for (ChildChange each : change.children()) {
        BlockNode child = each.child();
        if (child == null || child.context() == change.node().context()) {
          continue;
        }
        ContextMove found = collect(change.node(), child, change.node().context());
        AioContext target = found.target();
        if (move != null && move.target() != target) {
          throw new BlockException(
              Errno.EINVAL, "The new children would have to move to different loops");
        }
        move = found;
        if (!drained.containsAll(found.nodes()) || !found.isNothingQueued()) {
          return false;
        }
      }
    }
    return true;
  }

  private ContextMove collect(BlockNode parent, BlockNode child, AioContext parentContext)
      throws BlockException {
    try {
      return collectFor(parent, parentContext);
    } catch (BlockException refused) {
      try {
        return collectFor(parent, child.context());
      } catch (BlockException refusedToo) {
        refused.addSuppressed(refusedToo);
        throw refused;
      }
    }
  }

  private ContextMove collectFor(BlockNode node, AioContext target) throws BlockException {
    ContextMove found = new ContextMove(target, plan);
    found.include(node);
    return found;
  }

  private void prepareDriver(ReopenChange change) throws BlockException {
    BlockNode node = change.node();
    if (!(node.driver() instanceof BlockDriver.Reopenable driver)) {
      throw new BlockException(
          Errno.EOPNOTSUPP,
          "Block format '%s' used by node '%s' does not support reopening files"
              .formatted(node.driver().formatName(), node.name()));
    }
    if (change.options().readOnly() && !node.isReadOnly()) {
      NodeIo.flush(node);
    }
    BlockDriver.PreparedReopen ready = driver.prepareReopen(change);
    prepared.put(change, ready);
    if (ready.staysReadOnly()) {
      plan.keepReadOnly(node);
    }
  }

  private void abortDrivers() {
    for (BlockDriver.PreparedReopen each : List.copyOf(prepared.values()).reversed()) {
      each.abort();
    }
  }

  // -------------------------------------------------------------------------------- committing

  /** Changes the graph at once, then lets the drivers follow, children before their parents. */
  @InCoroutine
  void commit() {
    permissions.apply();
    plan.apply(
        (edge, before, now) -> {
          if (now != null) {
            now.reference();
          }
          if (before != null) {
            released.add(before);
          }
        });
    if (move != null) {
      move.commit();
    }
    for (BlockNode node : childrenFirst()) {
      for (Map.Entry<ReopenChange, BlockDriver.PreparedReopen> each : prepared.entrySet()) {
        if (each.getKey().node() == node) {
          each.getValue().commit();
        }
      }
    }
    permissions.commit();
    for (ReopenChange change : changes) {
      change.node().refreshLimits();
      change.node().statusCache().clear();
    }
    lengthsBefore.forEach(Reopen::notifyResizedSince);
  }

  private static void notifyResizedSince(BlockNode node, long lengthBytesBefore) {
    BlockDriver driver = node.driverOrNull();
    if (driver != null && driver.lengthBytes() != lengthBytesBefore) {
      node.notifyResized();
    }
  }

  private List<BlockNode> childrenFirst() {
    List<BlockNode> order = new ArrayList<>();
    Set<BlockNode> seen = new HashSet<>();
    for (ReopenChange change : changes) {
      visit(change.node(), seen, order);
    }
    return order;
  }

  private static void visit(BlockNode node, Set<BlockNode> seen, List<BlockNode> order) {
    if (seen.add(node)) {
      for (Edge edge : node.children()) {
        visit(edge.child(), seen, order);
      }
      order.add(node);
    }
  }

  /** Afterwards, with nothing drained or locked for it: lets go of children that were left. */
  @InCoroutine
  void releaseChildren() {
    released.forEach(BlockNode::releaseByParent);
  }
}

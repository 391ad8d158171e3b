package org.tinamou.block;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.block.trace.ContextMoveEvent;
import org.tinamou.block.trace.Trace;

/**
 * Everything that has to go to another loop together: a node, all that is connected to it, and
 * whoever stands above. Anybody may refuse while it is collected; then nothing has changed.
 */
public final class ContextMove {
  private final AioContext target;
  private final SequencedSet<BlockNode> nodes = new LinkedHashSet<>();
  private final List<Runnable> commits = new ArrayList<>();
  private final GraphPlan plan;

  ContextMove(AioContext target) {
    this(target, new GraphPlan());
  }

  /** For the graph as it will be. */
  ContextMove(AioContext target, GraphPlan plan) {
    this.target = target;
    this.plan = plan;
  }

  /** A node and all that has to go with it, in the graph as it is. */
  static ContextMove of(BlockNode node, AioContext target) throws BlockException {
    ContextMove move = new ContextMove(target);
    move.include(node);
    return move;
  }

  @HomeThread
  public AioContext target() {
    return target;
  }

  /** Adds a node with all its parents and children. */
  @HomeThread
  public void include(BlockNode node) throws BlockException {
    if (!nodes.add(node)) {
      return;
    }
    for (Edge edge : plan.parents(node)) {
      edge.parent().joinMove(edge, this);
    }
    for (Edge edge : plan.children(node)) {
      include(plan.child(edge));
    }
  }

  /** Something a parent does on the main loop once everything has moved; it cannot fail. */
  @HomeThread
  public void onCommit(Runnable action) {
    commits.add(action);
  }

  List<BlockNode> nodes() {
    return List.copyOf(nodes);
  }

  /** Whether no node has work queued in its loop, as after another move in the same section. */
  boolean isNothingQueued() {
    return NodeWork.isNothingQueued(nodes);
  }

  /** Everything is drained: takes each node out of its loop there, and into the new one here. */
  void commit() {
    ContextMoveEvent event = Trace.contextMove();
    AioContext main = Coroutine.current().context();
    for (BlockNode node : nodes) {
      if (node.context() == target) {
        continue;
      }
      Coroutine.moveTo(node.context());
      node.leaveContext();
      Coroutine.moveTo(target);
      node.enterContext(target);
    }
    Coroutine.moveTo(main);
    if (event != null && event.shouldCommit()) {
      event.target = target.name();
      event.nodes = nodes.size();
      event.commit();
    }
    commits.forEach(Runnable::run);
  }
}

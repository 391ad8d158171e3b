package org.tinamou.block;

import java.util.List;
import java.util.function.Predicate;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;

/** Points parents of one node to another in its place. Both are drained and in one loop. */
final class Retargeting {
  private Retargeting() {}

  /**
   * Points the edges.
   *
   * @param which whether a parent's edge is meant
   * @throws BlockException if an edge is frozen or permissions do not fit; nothing has changed then
   */
  @InCoroutine
  static void apply(BlockNode from, BlockNode to, Predicate<Edge> which) throws BlockException {
    GraphPlan plan = new GraphPlan();
    for (Edge edge : from.parents()) {
      boolean partOfTarget =
          edge.parent() instanceof BlockNode parent && BlockGraph.reaches(to, parent);
      if (!partOfTarget && !(edge.parent() instanceof NodeHold) && which.test(edge)) {
        if (edge.isFrozen()) {
          throw new BlockException(
              Errno.EPERM, "Cannot change '%s' link to '%s'".formatted(edge.name(), from.name()));
        }
        plan.point(edge, to);
      }
    }
    PermissionUpdate update = new PermissionUpdate(plan);
    update.add(from);
    update.add(to);
    update.prepare();
    update.apply();
    plan.apply(
        (edge, before, now) -> {
          to.reference();
          from.unreference();
        });
    update.commit();
    to.refreshLimits();
    for (Edge edge : List.copyOf(to.parents())) {
      edge.parent().childResized(edge);
    }
  }
}

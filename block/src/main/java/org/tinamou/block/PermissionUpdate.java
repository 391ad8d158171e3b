package org.tinamou.block;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Errno;

/**
 * Works out anew what every edge below some nodes uses and shares: all is checked before anything
 * changes, parents before their children. Main loop.
 */
final class PermissionUpdate {
  private final GraphPlan plan;
  private final Set<BlockNode> roots = new LinkedHashSet<>();
  private final Map<Edge, PermissionPair> planned = new LinkedHashMap<>();
  private final List<BlockNode> prepared = new ArrayList<>();
  private final Map<BlockNode, PermissionPair> cumulative = new LinkedHashMap<>();

  /** Whether somebody has gone, which nothing may stand in the way of. */
  private boolean relaxing;

  /** For the graph as it is. */
  PermissionUpdate() {
    this(new GraphPlan());
  }

  /** For the graph as it will be. */
  PermissionUpdate(GraphPlan plan) {
    this.plan = plan;
  }

  /** Adds a node whose parents, or what they use, have changed. */
  void add(BlockNode node) {
    roots.add(node);
  }

  /** Plans another use of an edge and adds its child. */
  void plan(Edge edge, int used, int shared) {
    planned.put(edge, new PermissionPair(used, shared));
    add(plan.child(edge));
  }

  /**
   * Checks and then changes everything.
   *
   * @throws BlockException if two parents do not get on or a driver refuses; nothing has changed
   *     then
   */
  @InCoroutine
  void run() throws BlockException {
    prepare();
    apply();
    commit();
  }

  /**
   * Checks everything and has the drivers take what they need. Followed by {@link #apply} and
   * {@link #commit}, or by {@link #abort}.
   *
   * @throws BlockException if two parents do not get on or a driver refuses; it is aborted then
   */
  @InCoroutine
  void prepare() throws BlockException {
    try {
      for (BlockNode node : parentsFirst()) {
        check(node);
      }
    } catch (BlockException refused) {
      abort();
      throw refused;
    }
  }

  /** Gives up what was prepared. */
  @InCoroutine
  void abort() {
    for (BlockNode node : prepared.reversed()) {
      if (node.driverOrNull() instanceof BlockDriver.PermissionGuard guard) {
        guard.abortPermissions();
      }
    }
  }

  /** Gives the edges their permissions; does not wait. */
  void apply() {
    planned.forEach((edge, pair) -> edge.permissions(pair.used(), pair.shared()));
  }

  /** Has the drivers give up what is no longer needed. */
  @InCoroutine
  void commit() {
    for (BlockNode node : prepared) {
      PermissionPair pair = pairOf(node);
      if (node.driverOrNull() instanceof BlockDriver.PermissionGuard guard) {
        guard.commitPermissions(pair.used(), pair.shared());
      }
    }
  }

  /**
   * Attaches an edge with permissions. The change lock is held.
   *
   * @throws BlockException if it does not fit or would close a cycle; nothing has changed then
   */
  @InCoroutine
  static void join(Edge edge, int used, int shared) throws BlockException {
    GraphPlan plan = new GraphPlan();
    plan.point(edge, edge.child());
    plan.refuseCycles();
    PermissionUpdate update = new PermissionUpdate(plan);
    update.plan(edge, used, shared);
    if (edge.parent() instanceof BlockNode parent && parent.driverOrNull() != null) {
      update.add(parent); // it is in use already: its own parents say what it needs
    }
    update.prepare();
    update.apply();
    plan.apply((joined, before, now) -> {});
    update.commit();
  }

  /** What a node needs of its children is worked out anew. */
  @InCoroutine
  static void renew(BlockNode node) throws BlockException {
    PermissionUpdate update = new PermissionUpdate();
    update.add(node);
    update.run();
  }

  /** After a parent has gone: using less and sharing more cannot fail. */
  @InCoroutine
  static void relax(BlockNode node) {
    if (node.isClosed()) {
      return;
    }
    PermissionUpdate update = new PermissionUpdate();
    update.add(node);
    update.relaxing = true;
    try {
      update.run();
    } catch (BlockException e) {
      throw new IllegalStateException("less use was refused of " + node, e);
    }
  }

  /** Whoever rewrites the last block makes the node longer if that is only partly there. */
  private static void refusePartialBlock(BlockNode node, BlockDriver driver, int used)
      throws BlockException {
    boolean writes = (used & (Permission.WRITE | Permission.WRITE_UNCHANGED)) != 0;
    int unit = node.limits().requestAlignmentBytes();
    if (writes && (used & Permission.RESIZE) == 0 && driver.lengthBytes() % unit != 0) {
      throw new BlockException(
          Errno.EINVAL,
          "Cannot get 'write' permission without 'resize': Image size is not a multiple of request"
              + " alignment");
    }
  }

  private PermissionPair pairOf(BlockNode node) {
    return java.util.Objects.requireNonNull(cumulative.get(node));
  }

  private List<BlockNode> parentsFirst() {
    List<BlockNode> order = new ArrayList<>();
    Set<BlockNode> seen = new HashSet<>();
    for (BlockNode root : roots) {
      visit(root, seen, order);
    }
    return order.reversed();
  }

  private void visit(BlockNode node, Set<BlockNode> seen, List<BlockNode> childrenFirst) {
    if (!seen.add(node)) {
      return;
    }
    for (Edge edge : plan.children(node)) {
      visit(plan.child(edge), seen, childrenFirst);
    }
    childrenFirst.add(node);
  }

  private void check(BlockNode node) throws BlockException {
    int used = 0;
    int shared = Permission.ALL;
    List<Edge> parents = plan.parents(node);
    for (Edge edge : parents) {
      PermissionPair pair = pairOf(edge);
      used |= pair.used();
      shared &= pair.shared();
    }
    for (Edge edge : parents) {
      for (Edge other : parents) {
        if (edge != other) {
          refuseConflict(node, edge, other);
        }
      }
    }
    if (plan.isReadOnly(node) && (used & ~Permission.CONSISTENT_READ) != 0) {
      throw new BlockException(
          Errno.EPERM,
          node.isReadOnly()
              ? "Block node is read-only"
              : "Read-only block node '" + node.name() + "' cannot support read-write users");
    }
    BlockDriver driver = node.driverOrNull();
    if (driver != null && !relaxing) {
      refusePartialBlock(node, driver, used);
    }
    boolean forceShare = plan.isForceShare(node);
    if (forceShare) {
      shared = Permission.ALL;
    }
    Needs needs = new Needs(used, shared, !parents.isEmpty());
    cumulative.put(node, new PermissionPair(used, shared));
    if (driver == null) {
      return; // it opens: its edges are as it attached them
    }
    if (driver instanceof BlockDriver.PermissionGuard guard) {
      guard.preparePermissions(used, shared);
    }
    prepared.add(node);
    for (Edge edge : plan.children(node)) {
      planned.put(edge, ofChild(edge, driver, plan.isReadOnly(node), forceShare, needs));
    }
  }

  /** What the parents of a node use and share, all together, if there are any. */
  private record Needs(int used, int shared, boolean hasParents) {}

  /** What an edge has to have, given what the parents of its parent have; for audits. */
  static PermissionPair expected(BlockNode node, BlockDriver driver, Edge edge) {
    int used = 0;
    int shared = Permission.ALL;
    for (Edge above : node.parents()) {
      used |= above.permissions();
      shared &= above.shared();
    }
    boolean forceShare = node.options().forceShare();
    Needs needs = new Needs(used, forceShare ? Permission.ALL : shared, !node.parents().isEmpty());
    return ofChild(edge, driver, node.isReadOnly(), forceShare, needs);
  }

  private static PermissionPair ofChild(
      Edge edge, BlockDriver driver, boolean readOnly, boolean forceShare, Needs needs) {
    PermissionPair pair =
        driver instanceof BlockDriver.PermissionMapper mapper
            ? mapper.childPermissions(edge, needs.used(), needs.shared(), needs.hasParents())
            : ofChild(edge, readOnly, needs.used(), needs.shared());
    return forceShare ? new PermissionPair(pair.used(), Permission.ALL) : pair;
  }

  private PermissionPair pairOf(Edge edge) {
    PermissionPair plan = planned.get(edge);
    return plan != null ? plan : new PermissionPair(edge.permissions(), edge.shared());
  }

  private void refuseConflict(BlockNode node, Edge user, Edge other) throws BlockException {
    int conflict = pairOf(user).used() & ~pairOf(other).shared();
    if (conflict != 0) {
      throw new BlockException(
          Errno.EPERM,
          "Permission conflict on node '%s': permissions '%s' are both required by %s (uses node '%s' as '%s' child) and unshared by %s (uses node '%s' as '%s' child)."
              .formatted(
                  node.name(),
                  Permission.names(conflict),
                  user.parent().describe(),
                  node.name(),
                  user.name(),
                  other.parent().describe(),
                  node.name(),
                  other.name()));
    }
  }

  /** What a driver without rules of its own needs of a child, by the child's roles. */
  private static PermissionPair ofChild(Edge edge, boolean readOnly, int used, int shared) {
    Set<EdgeRole> roles = edge.roles();
    if (roles.contains(EdgeRole.FILTERED)) {
      return new PermissionPair(used, shared);
    }
    if (roles.contains(EdgeRole.COPY_ON_WRITE)) {
      int writers = (shared & Permission.WRITE) == 0 ? 0 : Permission.WRITE | Permission.RESIZE;
      return new PermissionPair(
          used & Permission.CONSISTENT_READ, Permission.DEFAULT_SHARED | writers);
    }
    int needs = used;
    int shares = shared | Permission.WRITE_UNCHANGED;
    if (roles.contains(EdgeRole.DATA)) {
      shares &= ~Permission.RESIZE; // the driver may count on where its data ends
    }
    if (roles.contains(EdgeRole.METADATA)) {
      needs |= Permission.CONSISTENT_READ;
      if (!readOnly) {
        needs |= Permission.WRITE | Permission.RESIZE;
      }
      shares &= ~(Permission.WRITE | Permission.RESIZE);
    }
    return new PermissionPair(needs, shares);
  }
}

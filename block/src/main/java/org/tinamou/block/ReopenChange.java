package org.tinamou.block;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one node becomes in {@link BlockGraph#reopen}.
 *
 * @param node which
 * @param options all its options from then on
 * @param driverOptions what its driver is told beside; the driver knows the type. Null: as before
 * @param children the children that change; others stay
 */
public record ReopenChange(
    BlockNode node,
    NodeOptions options,
    @Nullable Object driverOptions,
    List<ChildChange> children) {
  /**
   * One child of a node from then on.
   *
   * @param name the parent's name for it, e.g. "backing"
   * @param roles for an edge that is not there yet
   * @param child the node, or null for none
   */
  public record ChildChange(String name, Set<EdgeRole> roles, @Nullable BlockNode child) {
    /** Another node in the place of a child that is there. */
    public static ChildChange of(String name, BlockNode child) {
      return new ChildChange(name, Set.of(), child);
    }
  }

  public ReopenChange {
    children = List.copyOf(children);
  }

  /** Other options, nothing else. */
  public static ReopenChange of(BlockNode node, NodeOptions options) {
    return new ReopenChange(node, options, null, List.of());
  }

  /** The same, with a child replaced. */
  public ReopenChange withChild(String name, BlockNode child) {
    List<ChildChange> more = new java.util.ArrayList<>(children);
    more.add(ChildChange.of(name, child));
    return new ReopenChange(node, options, driverOptions, more);
  }
}

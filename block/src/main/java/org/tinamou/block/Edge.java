package org.tinamou.block;

import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.IoVector;

/**
 * A parent's hold on a child node: a name, roles, permissions. Drivers make their requests to
 * children through it.
 *
 * <p>The graph around an edge is changed on the main loop while the parent is quiesced, so requests
 * may read it without a lock.
 */
public final class Edge {
  private final EdgeParent parent;
  private final String name;
  private final Set<EdgeRole> roles;
  private volatile BlockNode child;
  private volatile int permissions;
  private volatile int shared;
  private boolean quiescesParent;
  private boolean attached;
  private int frozen;

  Edge(EdgeParent parent, String name, Set<EdgeRole> roles, BlockNode child) {
    this.parent = parent;
    this.name = name;
    this.roles = roles.isEmpty() ? Set.of() : EnumSet.copyOf(roles);
    this.child = child;
  }

  @AnyThread
  public EdgeParent parent() {
    return parent;
  }

  /** The parent's name for the child, e.g. "file", "backing" or "root". */
  @AnyThread
  public String name() {
    return name;
  }

  @AnyThread
  public Set<EdgeRole> roles() {
    return roles;
  }

  @AnyThread
  public BlockNode child() {
    return child;
  }

  /** What the parent may do: bits of {@link Permission}. */
  @AnyThread
  public int permissions() {
    return permissions;
  }

  /** What the parent lets others do. */
  @AnyThread
  public int shared() {
    return shared;
  }

  void permissions(int used, int sharedWithOthers) {
    permissions = used;
    shared = sharedWithOthers;
  }

  boolean isAttached() {
    return attached;
  }

  /** Whether the child's drained sections have quiesced the parent through this edge. */
  boolean quiescesParent() {
    return quiescesParent;
  }

  @HomeThread
  void quiesceParent() {
    Check.state(!quiescesParent, "%s is quiesced twice through %s", parent.describe(), name);
    quiescesParent = true;
    parent.quiesce(this);
  }

  @HomeThread
  void unquiesceParent() {
    Check.state(quiescesParent, "%s is not quiesced through %s", parent.describe(), name);
    quiescesParent = false;
    parent.unquiesce(this);
  }

  boolean isParentBusy() {
    return parent.isBusy(this);
  }

  /** Keeps the edge pointing to its child, for a job; balanced by {@link #unfreeze}. */
  @HomeThread
  public void freeze() {
    frozen++;
  }

  @HomeThread
  public void unfreeze() {
    Check.state(frozen > 0, "edge %s is not frozen", name);
    frozen--;
  }

  /** Whether a job relies on what the edge points to. */
  @HomeThread
  public boolean isFrozen() {
    return frozen > 0;
  }

  /** Joins the child's parents. The parent is quiesced if the child is. */
  @HomeThread
  void link() {
    Check.state(!attached, "edge %s is attached twice", name);
    attached = true;
    child.parents().add(this);
    if (child.isQuiesced() && !quiescesParent) {
      quiesceParent();
    }
  }

  /** Leaves the child's parents, and takes back just what this edge quiesced. */
  @HomeThread
  void unlink() {
    Check.state(attached, "edge %s is not attached", name);
    attached = false;
    child.parents().remove(this);
    if (quiescesParent) {
      unquiesceParent();
    }
  }

  /**
   * Points to another child. The parent stays quiesced throughout if either child is drained: it is
   * quiesced for the new one before it is released for the old one.
   */
  @HomeThread
  void retarget(BlockNode newChild) {
    boolean wasQuiesced = quiescesParent;
    child.parents().remove(this);
    child = newChild;
    newChild.parents().add(this);
    if (newChild.isQuiesced() && !wasQuiesced) {
      quiesceParent();
    } else if (!newChild.isQuiesced() && wasQuiesced) {
      unquiesceParent();
    }
  }

  /**
   * The edge to what shows through a node where it has nothing of its own: its backing file or, for
   * a filter, all of what it filters. Null if nothing does.
   */
  @AnyThread
  public static @Nullable Edge below(BlockNode node) {
    Edge filtered = null;
    for (Edge edge : node.children()) {
      if (edge.roles.contains(EdgeRole.COPY_ON_WRITE)) {
        return edge;
      }
      if (edge.roles.contains(EdgeRole.FILTERED)) {
        filtered = edge;
      }
    }
    return filtered;
  }

  // ----------------------------------------------------------------------- requests to the child

  /** Tells the child what the parent is about to do with it: of use to tests only. */
  @InCoroutine
  public void announce(DebugEvent event) {
    DebugEvents.announce(child, event);
  }

  private void require(int permission) {
    if ((permissions & permission) == 0) {
      throw new IllegalStateException(this + " lacks permission " + Permission.names(permission));
    }
  }

  void requireRead() {
    require(Permission.CONSISTENT_READ);
  }

  void requireWrite(int flags) {
    require(
        (flags & RequestFlags.WRITE_UNCHANGED) != 0
            ? Permission.WRITE | Permission.WRITE_UNCHANGED
            : Permission.WRITE);
  }

  /**
   * The {@link RequestFlags} that a parent may pass on as they are: all, but for FORCE_UNIT_ACCESS
   * where the child's driver has to be flushed for it, and COMPRESSED where it cannot do that.
   */
  @AnyThread
  public int writeFlags() {
    int flags =
        child.driverOrNull() instanceof BlockDriver.Writable driver ? driver.writeFlags() : 0;
    return ~(RequestFlags.FORCE_UNIT_ACCESS | RequestFlags.COMPRESSED) | flags;
  }

  /** Reads; what lies beyond the child's end reads as zeroes. */
  @InCoroutine
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    requireRead();
    NodeIo.read(child, offsetBytes, buffer, flags);
  }

  /** Writes, also beyond the end if the child grows and RESIZE is held. */
  @InCoroutine
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    requireWrite(flags);
    NodeIo.write(child, offsetBytes, buffer, flags);
  }

  /**
   * Makes a range read as zeroes.
   *
   * @return false if that needs buffers of zeroes and {@link RequestFlags#NO_FALLBACK} is set
   */
  @InCoroutine
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    requireWrite(flags);
    // A user's wish to unmap holds for the node that he opened; what that one asks of those below
    // depends on what they were told.
    boolean keeps = parent instanceof BlockNode && !child.options().discardUnmap();
    int passed = keeps ? flags & ~RequestFlags.MAY_UNMAP : flags;
    return NodeIo.writeZeroes(child, offsetBytes, lengthBytes, passed);
  }

  /** Lets the child forget a range, if it can. */
  @InCoroutine
  public void discard(long offsetBytes, long lengthBytes) throws BlockException {
    require(Permission.WRITE);
    NodeIo.discard(child, offsetBytes, lengthBytes);
  }

  /** Makes completed writes stable. */
  @InCoroutine
  public void flush() throws BlockException {
    NodeIo.flush(child);
  }

  /**
   * Copies a range of the child to another edge's child, if that can be done without reading and
   * writing it.
   *
   * @return false if it cannot; part of the target may have been written
   */
  @InCoroutine
  public boolean copyRange(
      long offsetBytes,
      Edge target,
      long targetOffsetBytes,
      long lengthBytes,
      int readFlags,
      int writeFlags)
      throws BlockException {
    return CopyRange.copy(
        this, offsetBytes, target, targetOffsetBytes, lengthBytes, readFlags, writeFlags);
  }

  @InCoroutine
  public void truncate(long newLengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    require(Permission.RESIZE);
    NodeIo.truncate(child, newLengthBytes, exact, preallocation);
  }

  /** What is known of the first bytes of a range. */
  @InCoroutine
  public BlockStatus status(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    return NodeStatus.status(child, offsetBytes, lengthBytes, wantZero);
  }

  /**
   * Whether a range of what the child shows is known to be zero, what is below the child included.
   */
  @InCoroutine
  public boolean readsAsZeroes(long offsetBytes, long lengthBytes) throws BlockException {
    return ChainZeroes.readsAsZeroes(child, offsetBytes, lengthBytes);
  }

  @AnyThread
  public long lengthBytes() throws BlockException {
    return child.lengthBytes();
  }

  @Override
  public String toString() {
    return parent.describe() + " -" + name + "-> " + child.name();
  }
}

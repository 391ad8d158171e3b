package org.tinamou.block;

import java.util.Set;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;

/**
 * An edge to a node of somebody who is neither a node nor a backend, as a job is. It lives in the
 * loop of its node, goes wherever that goes, and stays with the node when another takes the node's
 * place.
 */
public final class NodeHold implements EdgeParent {
  /** Who holds the node. Called on the main loop; nothing here waits or changes the graph. */
  public interface Owner {
    /** For messages, e.g. "mirror job 'job0'". */
    @AnyThread
    String describe();

    /** Makes no more requests from its next point of rest on. Balanced; calls nest. */
    @HomeThread
    void quiesce();

    /** Whether it has not come to rest yet. Then {@link BlockGraph#kick()} is called. */
    @HomeThread
    boolean isBusy();

    /** May make requests again. Never waits. */
    @HomeThread
    void unquiesce();

    /** The node lives in another loop from now on. The owner is quiesced. */
    @HomeThread
    default void moved(AioContext context) {}

    /** The node has another size. */
    @HomeThread
    default void resized() {}
  }

  private final Owner owner;
  private final Edge edge;
  private boolean released;

  private NodeHold(Owner owner, String name, Set<EdgeRole> roles, BlockNode node) {
    this.owner = owner;
    this.edge = new Edge(this, name, roles, node);
  }

  /**
   * Holds a node, which stays open meanwhile.
   *
   * @param name of the edge, for messages
   * @param used what the owner does: bits of {@link Permission}
   * @param shared what it lets others do
   * @throws BlockException if that does not go together with what others do
   */
  @InCoroutine
  public static NodeHold take(Owner owner, String name, BlockNode node, int used, int shared)
      throws BlockException {
    BlockGraph graph = node.graph();
    graph.checkMain();
    NodeHold hold = new NodeHold(owner, name, Set.of(EdgeRole.DATA), node);
    node.reference();
    graph.lockChanges();
    try {
      PermissionUpdate.join(hold.edge, used, shared);
    } catch (BlockException refused) {
      graph.unlockChanges();
      node.release();
      throw refused;
    }
    graph.unlockChanges();
    return hold;
  }

  /** Where the owner's requests go. */
  @AnyThread
  public Edge edge() {
    return edge;
  }

  @AnyThread
  public BlockNode node() {
    return edge.child();
  }

  /** Changes what the owner does and lets others do; the node's driver is asked anew as well. */
  @InCoroutine
  public void setPermissions(int used, int shared) throws BlockException {
    BlockGraph graph = node().graph();
    graph.checkMain();
    graph.lockChanges();
    try {
      PermissionUpdate update = new PermissionUpdate();
      update.plan(edge, used, shared);
      update.run();
    } finally {
      graph.unlockChanges();
    }
  }

  /** Lets the node go; the owner makes no more requests. May be repeated. */
  @InCoroutine
  public void release() {
    BlockNode node = node();
    node.graph().checkMain();
    if (released) {
      return;
    }
    released = true;
    node.graph().lockChanges();
    try {
      edge.unlink();
      PermissionUpdate.relax(node);
    } finally {
      node.graph().unlockChanges();
    }
    node.releaseByParent();
  }

  @Override
  public String describe() {
    return owner.describe();
  }

  @Override
  public void quiesce(Edge quiesced) {
    owner.quiesce();
  }

  @Override
  public boolean isBusy(Edge asked) {
    return owner.isBusy();
  }

  @Override
  public void unquiesce(Edge released) {
    owner.unquiesce();
  }

  @Override
  public AioContext context() {
    return node().context();
  }

  @Override
  public void joinMove(Edge moving, ContextMove move) {
    move.onCommit(() -> owner.moved(move.target()));
  }

  @Override
  public void childResized(Edge resized) {
    owner.resized();
  }
}

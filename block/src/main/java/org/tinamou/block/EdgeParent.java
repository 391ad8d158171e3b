package org.tinamou.block;

import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;

/**
 * Whoever stands above a node: another node, a backend, a job. Called on the main loop; nothing
 * here waits or changes the graph.
 */
public interface EdgeParent {
  /** For messages and dumps, e.g. "node 'overlay'" or "block device 'drive0'". */
  @AnyThread
  String describe();

  /** Stops making requests through the edge. Balanced by {@link #unquiesce}; calls nest. */
  @HomeThread
  void quiesce(Edge edge);

  /**
   * Whether requests that were made through the edge, or work that may make some, are still under
   * way. When that ends, {@link BlockGraph#kick()} is called.
   */
  @HomeThread
  boolean isBusy(Edge edge);

  /** May make requests again. Never waits. */
  @HomeThread
  void unquiesce(Edge edge);

  /** The loop the parent's requests come from, which its children follow. */
  @AnyThread
  AioContext context();

  /**
   * Agrees or refuses to go to another loop together with its child.
   *
   * @param move collects what else has to go
   * @throws BlockException to refuse; nothing has changed
   */
  @HomeThread
  void joinMove(Edge edge, ContextMove move) throws BlockException;

  /** The child has another size now. */
  @HomeThread
  default void childResized(Edge edge) {}
}

package org.tinamou.block;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;

/**
 * A user's handle on a disk: an edge to a root node that may change or be missing, with the user's
 * permissions. A tool, an export, a job or a guest's device makes its requests here.
 *
 * <p>Requests are coroutines of any loop. While the root is drained they wait in a queue, where
 * they do not count as in flight, and go on when it is released.
 */
public final class BlockBackend implements EdgeParent {
  private final BlockGraph graph;
  private final String name;
  private final InFlight inFlight;
  private final CoQueue queue = new CoQueue("drained backend");
  private volatile AioContext context;
  private volatile @Nullable Edge root;
  private volatile int quiesceCount;
  private volatile boolean queuing = true;
  private volatile boolean followsNode;
  private volatile boolean writeThrough;
  private int permissions;
  private int shared;
  private boolean closed;
  private @Nullable Runnable onResize;

  /**
   * A backend without a medium. Main loop.
   *
   * @param name for messages; may be empty
   * @param context the loop its user works in; its medium goes there
   * @param permissions what the user does: bits of {@link Permission}
   * @param shared what it lets others do
   */
  @HomeThread
  public BlockBackend(
      BlockGraph graph, String name, AioContext context, int permissions, int shared) {
    this.graph = graph;
    this.name = name;
    this.context = context;
    this.permissions = permissions;
    this.shared = shared;
    this.inFlight = new InFlight(graph);
    graph.add(this);
  }

  @AnyThread
  public String name() {
    return name;
  }

  @Override
  @AnyThread
  public AioContext context() {
    return context;
  }

  /** Whether the backend lets its node take it along to other loops. */
  @HomeThread
  public void setFollowsNode(boolean follows) {
    followsNode = follows;
  }

  /** Whether every write is stable when it completes. */
  @AnyThread
  public void setWriteThrough(boolean enabled) {
    writeThrough = enabled;
  }

  /** Whether requests wait while the root is drained; only who drains it itself may say no. */
  @HomeThread
  public void setQueuing(boolean enabled) {
    queuing = enabled;
    if (!enabled) {
      queue.wakeAll();
    }
  }

  /** Runs on the main loop whenever the size has changed. */
  @HomeThread
  public void onResize(Runnable callback) {
    onResize = callback;
  }

  // ------------------------------------------------------------------------------------ medium

  /**
   * Puts a node under the backend, in the backend's loop if it can go there, else the backend
   * follows the node if it may.
   *
   * @throws BlockException if permissions or loops do not fit; nothing has changed then
   */
  @InCoroutine
  public void insert(BlockNode node) throws BlockException {
    graph.checkMain();
    node.reference();
    try {
      lockBeside(node);
      try {
        Check.state(root == null && !closed, "%s has a medium or is closed", this);
        root = link(node);
      } finally {
        graph.unlockChanges();
      }
    } catch (BlockException | RuntimeException refused) {
      node.release();
      throw refused;
    }
  }

  /** Takes the change lock with the node in the backend's loop, or the backend in the node's. */
  private void lockBeside(BlockNode node) throws BlockException {
    while (true) {
      if (node.context() != context) {
        try {
          graph.moveToContext(node, context);
        } catch (BlockException refused) {
          if (!followsNode) {
            throw refused;
          }
        }
      }
      graph.lockChanges();
      if (followsNode && root == null) {
        context = node.context();
      }
      if (node.context() == context) {
        return;
      }
      graph.unlockChanges();
    }
  }

  private Edge link(BlockNode node) throws BlockException {
    Edge edge = new Edge(this, "root", Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY), node);
    GraphPlan plan = new GraphPlan();
    plan.point(edge, node);
    PermissionUpdate update = new PermissionUpdate(plan);
    update.plan(edge, permissions, shared);
    update.prepare();
    update.apply();
    plan.apply((linked, before, now) -> {});
    update.commit();
    return edge;
  }

  /** Takes the medium out, after all requests have ended. */
  @InCoroutine
  public void eject() {
    graph.checkMain();
    while (root != null) {
      BlockNode node = java.util.Objects.requireNonNull(node());
      node.reference();
      boolean gone = false;
      try (DrainedSection drained = node.drain("eject from " + name)) {
        graph.lockChanges();
        try {
          gone = unlinkFrom(node);
        } finally {
          graph.unlockChanges();
        }
      }
      if (gone) {
        node.release();
      }
      node.release();
    }
  }

  /** False if the medium is another one by now. */
  private boolean unlinkFrom(BlockNode node) {
    Edge edge = root;
    if (edge == null || edge.child() != node) {
      return false;
    }
    root = null;
    edge.unlink();
    PermissionUpdate.relax(node);
    return true;
  }

  /** Changes what the user does and lets others do. */
  @InCoroutine
  public void setPermissions(int used, int sharedWithOthers) throws BlockException {
    graph.checkMain();
    graph.lockChanges();
    try {
      Edge edge = root;
      if (edge != null) {
        PermissionUpdate update = new PermissionUpdate();
        update.plan(edge, used, sharedWithOthers);
        update.run();
      }
      permissions = used;
      shared = sharedWithOthers;
    } finally {
      graph.unlockChanges();
    }
  }

  /** Takes the medium out and ends the backend. */
  @InCoroutine
  public void close() {
    eject();
    if (!closed) {
      closed = true;
      graph.remove(this);
    }
  }

  /** The root node, or null without a medium. */
  @AnyThread
  public @Nullable BlockNode node() {
    Edge edge = root;
    return edge == null ? null : edge.child();
  }

  private Edge medium() throws BlockException {
    Edge edge = root;
    if (edge == null) {
      throw BlockException.of(Errno.ENOMEDIUM, describe());
    }
    return edge;
  }

  // ---------------------------------------------------------------------------------- requests

  /** One request of the user, from which its result comes. */
  @FunctionalInterface
  private interface Request<T> {
    T run(Edge edge) throws BlockException;
  }

  private <T> T perform(Request<T> request) throws BlockException {
    enter();
    try {
      return request.run(medium());
    } finally {
      inFlight.end();
    }
  }

  /**
   * Counts the request, then looks whether it may run: whoever drains looks the other way round, so
   * one of the two sees the other. In the queue it does not count.
   */
  private void enter() {
    inFlight.begin();
    while (quiesceCount > 0 && queuing) {
      inFlight.end();
      awaitRelease();
      inFlight.begin();
    }
  }

  private void awaitRelease() {
    queue.awaitUnless(() -> quiesceCount == 0 || !queuing);
  }

  private void checkInside(Edge edge, long offset, long length) throws BlockException {
    long size = edge.lengthBytes();
    if (offset < 0 || length < 0 || offset > size || length > size - offset) {
      throw BlockException.of(
          Errno.EIO, "request at %d of %d bytes on %s".formatted(offset, length, describe()));
    }
  }

  /** Fills the buffer from the disk. The range must lie inside it. */
  @InCoroutine
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    perform(
        edge -> {
          checkInside(edge, offsetBytes, buffer.sizeBytes());
          edge.read(offsetBytes, buffer, flags);
          return true;
        });
  }

  /** Stores the buffer on the disk. The range must lie inside it. */
  @InCoroutine
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    perform(
        edge -> {
          checkInside(edge, offsetBytes, buffer.sizeBytes());
          edge.write(offsetBytes, buffer, effective(flags));
          return true;
        });
  }

  private int effective(int flags) {
    return writeThrough ? flags | RequestFlags.FORCE_UNIT_ACCESS : flags;
  }

  /**
   * Makes a range read as zeroes.
   *
   * @return false if that needs buffers of zeroes and {@link RequestFlags#NO_FALLBACK} is set
   */
  @InCoroutine
  public boolean writeZeroes(long offsetBytes, long lengthBytes, int flags) throws BlockException {
    return perform(
        edge -> {
          checkInside(edge, offsetBytes, lengthBytes);
          return edge.writeZeroes(offsetBytes, lengthBytes, effective(flags));
        });
  }

  /** Lets the disk forget a range, if it can. */
  @InCoroutine
  public void discard(long offsetBytes, long lengthBytes) throws BlockException {
    perform(
        edge -> {
          checkInside(edge, offsetBytes, lengthBytes);
          edge.discard(offsetBytes, lengthBytes);
          return true;
        });
  }

  /** Makes completed writes stable. */
  @InCoroutine
  public void flush() throws BlockException {
    perform(
        edge -> {
          edge.flush();
          return true;
        });
  }

  /** Changes the size. */
  @InCoroutine
  public void truncate(long newLengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    perform(
        edge -> {
          edge.truncate(newLengthBytes, exact, preallocation);
          return true;
        });
  }

  /** What is known of the first bytes of a range. */
  @InCoroutine
  public BlockStatus status(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    return perform(edge -> edge.status(offsetBytes, lengthBytes, wantZero));
  }

  @AnyThread
  public long lengthBytes() throws BlockException {
    return medium().lengthBytes();
  }

  /** Requests under way, those in the queue not counted. */
  @AnyThread
  public int inFlightCount() {
    return inFlight.count();
  }

  // --------------------------------------------------------------------- as a parent of its root

  @Override
  public String describe() {
    return name.isEmpty() ? "a block device" : "block device '" + name + "'";
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // written on the main loop only
  @Override
  public void quiesce(Edge edge) {
    graph.checkMain();
    quiesceCount++;
  }

  @Override
  public boolean isBusy(Edge edge) {
    return !inFlight.isIdle();
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // written on the main loop only
  @Override
  public void unquiesce(Edge edge) {
    graph.checkMain();
    Check.state(quiesceCount > 0, "%s is not quiesced", this);
    quiesceCount--;
    if (quiesceCount == 0) {
      queue.wakeAll();
    }
  }

  @AnyThread
  public boolean isQuiesced() {
    return quiesceCount > 0;
  }

  @Override
  public void joinMove(Edge edge, ContextMove move) throws BlockException {
    if (!followsNode && context != move.target()) {
      throw new BlockException(Errno.EBUSY, "Cannot change iothread of active block backend");
    }
    move.onCommit(() -> context = move.target());
  }

  /** The user takes its disk to another loop: allowed although the node alone may not go. */
  @InCoroutine
  public void moveToContext(AioContext target) throws BlockException {
    graph.checkMain();
    BlockNode node = node();
    if (node == null) {
      context = target;
      return;
    }
    boolean before = followsNode;
    followsNode = true;
    try {
      graph.moveToContext(node, target);
    } finally {
      followsNode = before;
    }
  }

  @Override
  public void childResized(Edge edge) {
    Runnable callback = onResize;
    if (callback != null) {
      callback.run();
    }
  }

  @Override
  public String toString() {
    return describe();
  }
}

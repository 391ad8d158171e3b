package org.tinamou.block;

import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;
import org.tinamou.block.stats.BlockStatistics;
import org.tinamou.block.stats.ContextCounts;
import org.tinamou.block.stats.IoKind;
import org.tinamou.block.trace.RequestEvent;
import org.tinamou.block.trace.Trace;

/**
 * A user's handle on a disk: an edge to a root node that may change or be missing, with the user's
 * permissions. A tool, an export, a job or a guest's device makes its requests here.
 *
 * <p>Requests are coroutines of any loop. While the root is drained they wait, where they do not
 * count as in flight, and go on when it is released; so do those that an error has stopped.
 */
public final class BlockBackend implements EdgeParent {
  private final BlockGraph graph;
  private final String name;
  private final InFlight inFlight;
  private final RequestGate gate;
  private final BackendLimits limits;
  private final BackendAccounts accounts = new BackendAccounts();
  private volatile AioContext context;
  private volatile @Nullable Edge root;
  private volatile boolean followsNode;
  private volatile boolean writeThrough;
  private volatile ErrorPolicy readErrors = ErrorPolicy.REPORT;
  private volatile ErrorPolicy writeErrors = ErrorPolicy.REPORT;
  private volatile IoStatus ioStatus = IoStatus.OK;
  private volatile @Nullable RequestErrors onError;
  private int permissions;
  private int shared;
  private boolean closed;
  private Runnable onResize = () -> {};
  private Runnable onMove = () -> {};

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
    this.gate = new RequestGate(inFlight);
    this.limits = new BackendLimits(this, context);
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

  /** Whether every write is stable when it completes. */
  @AnyThread
  public boolean isWriteThrough() {
    return writeThrough;
  }

  /** Whether requests wait while the root is drained; only who drains it itself may say no. */
  @HomeThread
  public void setQueuing(boolean enabled) {
    gate.setQueuing(enabled);
  }

  /** Runs on the main loop whenever the size has changed. */
  @HomeThread
  public void onResize(Runnable callback) {
    onResize = callback;
  }

  /** Runs on the main loop whenever the backend has gone to another loop; never waits. */
  @HomeThread
  public void onMove(Runnable callback) {
    onMove = callback;
  }

  /**
   * Puts a node under the backend, in the backend's loop if it can go there, else the backend
   * follows the node if it may.
   *
   * @throws BlockException if permissions or loops do not fit; nothing has changed then
   */
  @InCoroutine
  public void insert(BlockNode node) throws BlockException {
    graph.checkMain();
    AioContext contextBefore = context;
    AioContext nodeContextBefore = node.context();
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
      if (root == null) {
        context = contextBefore;
        limits.follow(contextBefore);
      }
      graph.moveBack(node, nodeContextBefore);
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
        limits.follow(context);
      }
      if (node.context() == context) {
        return;
      }
      graph.unlockChanges();
    }
  }

  private Edge link(BlockNode node) throws BlockException {
    Edge edge = new Edge(this, "root", Set.of(EdgeRole.FILTERED, EdgeRole.PRIMARY), node);
    PermissionUpdate.join(edge, permissions, shared);
    return edge;
  }

  /** Takes the medium out, after all requests have ended. */
  @InCoroutine
  public void eject() {
    graph.checkMain();
    while (root != null) {
      BlockNode node = root.child();
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
      node.releaseByParent();
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
      limits.keepTo(null);
      graph.remove(this);
      gate.resume(); // what was stopped learns that there is no medium
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

  /** One request of the user, from which its result comes. */
  @FunctionalInterface
  private interface Request<T> {
    T run(Edge edge) throws BlockException;
  }

  /** A request that is not accounted and whose errors are the caller's affair. */
  private <T> T performPlain(Supplier<String> what, Request<T> request) throws BlockException {
    gate.enter(what);
    try {
      return request.run(medium());
    } finally {
      gate.leave();
    }
  }

  /** A request that is accounted, and tried again or ignored as the error policies say. */
  private boolean perform(IoKind kind, long offset, long length, Request<Boolean> request)
      throws BlockException {
    RequestEvent event = Trace.request();
    if (event == null) {
      return performAccounted(kind, offset, length, request);
    }
    try {
      return event.succeeded(performAccounted(kind, offset, length, request));
    } finally {
      event.ended(name, kind.word(), offset, length);
    }
  }

  private boolean performAccounted(IoKind kind, long offset, long length, Request<Boolean> request)
      throws BlockException {
    long start = accounts.start();
    Supplier<String> what = () -> "%s [%d, +%d)".formatted(kind.word(), offset, length);
    while (true) {
      long resumes = gate.resumes();
      BlockException error;
      ErrorPolicy action;
      gate.enter(what);
      try {
        Edge edge = medium();
        checkInside(kind, edge, offset, length);
        try {
          limits.await(kind, length);
          boolean result = request.run(edge);
          accounts.done(context, kind, length, start);
          return result;
        } catch (BlockException failed) {
          error = failed;
        }
        action = (kind == IoKind.READ ? readErrors : writeErrors).decide(kind, error.errno());
        if (action != ErrorPolicy.STOP) {
          accounts.failed(context, kind, start);
        }
      } finally {
        gate.leave();
      }
      RequestErrors listener = onError;
      if (action == ErrorPolicy.STOP && ioStatus == IoStatus.OK) {
        ioStatus = error.errno() == Errno.ENOSPC ? IoStatus.NOSPACE : IoStatus.FAILED;
      }
      if (listener != null) {
        listener.failed(kind, action, error);
      }
      if (action == ErrorPolicy.REPORT) {
        throw error;
      }
      if (action == ErrorPolicy.IGNORE) {
        return true;
      }
      gate.awaitResume(resumes, what, error);
    }
  }

  private void checkInside(IoKind kind, Edge edge, long offset, long length) throws BlockException {
    long size = edge.lengthBytes();
    if (offset < 0 || length < 0 || offset > size || length > size - offset) {
      accounts.invalid(kind);
      throw BlockException.of(
          Errno.EIO, "request at %d of %d bytes on %s".formatted(offset, length, describe()));
    }
  }

  /** Fills the buffer from the disk. The range must lie inside it. */
  @InCoroutine
  public void read(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    perform(
        IoKind.READ,
        offsetBytes,
        buffer.sizeBytes(),
        edge -> {
          edge.read(offsetBytes, buffer, flags);
          return true;
        });
  }

  /** Stores the buffer on the disk. The range must lie inside it. */
  @InCoroutine
  public void write(long offsetBytes, IoVector buffer, int flags) throws BlockException {
    perform(
        IoKind.WRITE,
        offsetBytes,
        buffer.sizeBytes(),
        edge -> {
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
        IoKind.WRITE,
        offsetBytes,
        lengthBytes,
        edge -> edge.writeZeroes(offsetBytes, lengthBytes, effective(flags)));
  }

  /** Lets the disk forget a range, if it can. */
  @InCoroutine
  public void discard(long offsetBytes, long lengthBytes) throws BlockException {
    perform(
        IoKind.UNMAP,
        offsetBytes,
        lengthBytes,
        edge -> {
          edge.discard(offsetBytes, lengthBytes);
          return true;
        });
  }

  /** Makes completed writes stable. */
  @InCoroutine
  public void flush() throws BlockException {
    perform(
        IoKind.FLUSH,
        0,
        0,
        edge -> {
          edge.flush();
          return true;
        });
  }

  /** Changes the size. */
  @InCoroutine
  public void truncate(long newLengthBytes, boolean exact, PreallocationMode preallocation)
      throws BlockException {
    performPlain(
        () -> "truncate to " + newLengthBytes,
        edge -> {
          edge.truncate(newLengthBytes, exact, preallocation);
          return true;
        });
  }

  /** What is known of the first bytes of a range. */
  @InCoroutine
  public BlockStatus status(long offsetBytes, long lengthBytes, boolean wantZero)
      throws BlockException {
    return performPlain(
        () -> "block status [%d, +%d)".formatted(offsetBytes, lengthBytes),
        edge -> edge.status(offsetBytes, lengthBytes, wantZero));
  }

  /**
   * Copies a range to another backend of the graph, or within this one, if that can be done without
   * reading and writing it. Not accounted; errors are reported.
   *
   * @return false if it cannot; part of the target may have been written
   */
  @InCoroutine
  public boolean copyRange(
      long offsetBytes,
      BlockBackend target,
      long targetOffsetBytes,
      long lengthBytes,
      int readFlags,
      int writeFlags)
      throws BlockException {
    gate.enterBoth(target.gate, () -> "copy [%d, +%d)".formatted(offsetBytes, lengthBytes));
    try {
      Edge from = medium();
      Edge to = target.medium();
      checkInside(IoKind.READ, from, offsetBytes, lengthBytes);
      target.checkInside(IoKind.WRITE, to, targetOffsetBytes, lengthBytes);
      return from.copyRange(
          offsetBytes, to, targetOffsetBytes, lengthBytes, readFlags, target.effective(writeFlags));
    } finally {
      gate.leaveBoth(target.gate);
    }
  }

  @AnyThread
  public long lengthBytes() throws BlockException {
    return medium().lengthBytes();
  }

  /** Requests that wait here to be let through or tried again, with what they wait for. */
  @AnyThread
  public List<WaitingRequest> waitingRequests() {
    return gate.waiting();
  }

  /** What is done about errors from now on; at first they are reported. */
  @AnyThread
  public void setErrorPolicies(ErrorPolicy onRead, ErrorPolicy onWrite) {
    readErrors = onRead;
    writeErrors = onWrite;
  }

  @AnyThread
  public void onError(@Nullable RequestErrors listener) {
    onError = listener;
  }

  /** The first reason why requests were stopped since the last {@link #resume}. */
  @AnyThread
  public IoStatus ioStatus() {
    return ioStatus;
  }

  /** Has everything tried again that was stopped by an error. */
  @AnyThread
  public void resume() {
    ioStatus = IoStatus.OK;
    gate.resume();
  }

  /** Accounts for requests from now on, or no longer. */
  @AnyThread
  public void setStatistics(@Nullable BlockStatistics wanted) {
    accounts.keep(wanted);
  }

  /** How fast its user may be. */
  @AnyThread
  public BackendLimits limits() {
    return limits;
  }

  @AnyThread
  public @Nullable BlockStatistics statistics() {
    return accounts.statistics();
  }

  /** Its requests by the context in which they ended, with or without statistics. */
  @AnyThread
  public ContextCounts contextCounts() {
    return accounts.contexts();
  }

  /** Requests under way, those in the queue not counted. */
  @AnyThread
  public int inFlightCount() {
    return inFlight.count();
  }

  @Override
  public String describe() {
    return name.isEmpty() ? "an unnamed block device" : "block device '" + name + "'";
  }

  @Override
  public void quiesce(Edge edge) {
    graph.checkMain();
    gate.quiesce();
    limits.quiesce();
  }

  @Override
  public boolean isBusy(Edge edge) {
    return !inFlight.isIdle();
  }

  @Override
  public void unquiesce(Edge edge) {
    graph.checkMain();
    limits.unquiesce();
    gate.unquiesce();
  }

  @AnyThread
  public boolean isQuiesced() {
    return gate.isQuiesced();
  }

  @Override
  public void joinMove(Edge edge, ContextMove move) throws BlockException {
    if (!followsNode && context != move.target()) {
      throw new BlockException(Errno.EBUSY, "Cannot change iothread of active block backend");
    }
    move.onCommit(
        () -> {
          context = move.target();
          limits.follow(context);
          onMove.run();
        });
  }

  /** The user takes its disk to another loop: allowed although the node alone may not go. */
  @InCoroutine
  public void moveToContext(AioContext target) throws BlockException {
    graph.checkMain();
    BlockNode node = node();
    if (node == null) {
      context = target;
      limits.follow(target);
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
    onResize.run();
  }

  @Override
  public String toString() {
    return describe();
  }
}

package org.tinamou.block;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.bitmap.BitmapList;

/**
 * One layer of a disk: a driver with its children, its parents, a home loop and the requests that
 * are under way on it.
 *
 * <p>Requests come from coroutines of any loop. The graph around a node is changed on the main loop
 * only, while the nodes whose edges change are drained, so requests read it without a lock.
 */
public final class BlockNode implements EdgeParent {
  /** Learns of every completed write, before the request counts as ended. Any loop. */
  @FunctionalInterface
  public interface WriteListener {
    void written(long offsetBytes, long lengthBytes);
  }

  private final BlockGraph graph;
  private final String name;
  private final InFlight inFlight;
  private final NodeWork work;
  private final TrackedRequests requests;
  private final List<Edge> parents = new ArrayList<>();
  private final Map<String, Edge> children = new LinkedHashMap<>();
  private final List<WriteListener> writeListeners = new CopyOnWriteArrayList<>();
  private final BitmapList bitmaps = new BitmapList();
  private final WriteThreshold writeThreshold = new WriteThreshold();
  private final StatusCache statusCache = new StatusCache();
  private final AtomicLong highestWrittenBytes = new AtomicLong();
  final FlushState flushState = new FlushState();

  private volatile AioContext context;
  private volatile @Nullable BlockDriver driver;
  private volatile BlockLimits limits = BlockLimits.NONE;
  private volatile NodeOrigin origin = NodeOrigin.NONE;
  private volatile int quiesceCount;
  private volatile NodeOptions options;
  private volatile boolean readOnly;
  private volatile boolean disabled;
  private volatile boolean inactive;
  private int references = 1;
  private boolean closed;
  private volatile boolean homeless;

  BlockNode(BlockGraph graph, String name, NodeOptions options, AioContext context) {
    this.graph = graph;
    this.name = name;
    this.options = options;
    this.readOnly = options.readOnly();
    this.context = context;
    this.inFlight = new InFlight(graph);
    this.work = new NodeWork(this, inFlight);
    this.requests = new TrackedRequests(this);
  }

  @AnyThread
  public BlockGraph graph() {
    return graph;
  }

  @AnyThread
  public String name() {
    return name;
  }

  /** Whether it cannot be written to, because it was told so or because it had no choice. */
  @AnyThread
  public boolean isReadOnly() {
    return readOnly;
  }

  /** What the node was told when it was opened or last reopened. */
  @AnyThread
  public NodeOptions options() {
    return options;
  }

  /** Other options, from the next request on; what the driver has to know it has been told. */
  @HomeThread
  void options(NodeOptions changed, boolean keepReadOnly) {
    options = changed;
    readOnly = changed.readOnly() || keepReadOnly;
  }

  /**
   * For a driver that cannot open what it needs for writing: the node becomes read-only if its
   * options let it.
   *
   * @param refusal why it has to
   * @throws BlockException {@code refusal}, if the node has to be writable
   */
  @InCoroutine
  public void becomeReadOnly(BlockException refusal) throws BlockException {
    graph.checkMain();
    if (!readOnly && !options.autoReadOnly()) {
      throw refusal;
    }
    readOnly = true;
  }

  /** The loop that the node's own timers, descriptors and coroutines live in. */
  @Override
  @AnyThread
  public AioContext context() {
    return context;
  }

  /** What the node has queued or armed in its loop; for its driver. */
  @AnyThread
  public NodeWork work() {
    return work;
  }

  /** The driver. */
  @AnyThread
  public BlockDriver driver() throws BlockException {
    BlockDriver current = driver;
    if (current == null || disabled) {
      throw BlockException.of(Errno.ENOMEDIUM, "node '" + name + "' has no driver");
    }
    return current;
  }

  /**
   * For a driver that can trust its image no more: from now on every request fails with ENOMEDIUM.
   * The driver is closed with the node.
   */
  @AnyThread
  public void disable() {
    disabled = true;
  }

  /** Makes completed writes stable, also while the node is drained. */
  @InCoroutine
  public void flush() throws BlockException {
    NodeIo.flush(this);
  }

  /** Whether somebody else owns the data for the time being, so that writes are errors. */
  @AnyThread
  public boolean isInactive() {
    return inactive;
  }

  /** Gives the data into other hands: what is cached is flushed, and writes fail from then on. */
  @InCoroutine
  public void inactivate() throws BlockException {
    try (DrainedSection drained = drain("inactivation of " + name)) {
      NodeIo.flush(this);
      inactive = true;
    }
  }

  /** Takes the data back. What was known of it may be outdated. */
  @InCoroutine
  public void activate() {
    try (DrainedSection drained = drain("activation of " + name)) {
      statusCache.clear();
      inactive = false;
      refreshLimits();
    }
  }

  /** The driver; null while the node opens and once it is closed. */
  @AnyThread
  public @Nullable BlockDriver driverOrNull() {
    return driver;
  }

  /** What it was opened from. */
  @AnyThread
  public NodeOrigin origin() {
    return origin;
  }

  /** For whoever opens the node. */
  @HomeThread
  public void origin(NodeOrigin openedFrom) {
    origin = openedFrom;
  }

  void driver(BlockDriver opened) {
    driver = opened;
    refreshLimits();
  }

  /** The size of what the node shows. */
  @AnyThread
  public long lengthBytes() throws BlockException {
    return driver().lengthBytes();
  }

  @AnyThread
  public BlockLimits limits() {
    return limits;
  }

  /** Asks the driver for its limits again; also for the nodes above. */
  @HomeThread
  void refreshLimits() {
    BlockDriver current = driver;
    if (current != null) {
      limits = current.limits();
    }
    for (Edge edge : parents) {
      if (edge.parent() instanceof BlockNode parent) {
        parent.refreshLimits();
      }
    }
  }

  /** Whether writes of zeroes are turned into write-zeroes. */
  @AnyThread
  public DetectZeroes detectZeroes() {
    return options.detectZeroes();
  }

  @HomeThread
  public void setDetectZeroes(DetectZeroes mode) {
    options = options.withDetectZeroes(mode);
  }

  /** Who stands above; main loop. */
  @HomeThread
  public List<Edge> parents() {
    return parents;
  }

  /** Who stands below, in the order of attachment. */
  @AnyThread
  public Collection<Edge> children() {
    return children.values();
  }

  /** The node that a command without a child name goes on to, or null. */
  @AnyThread
  public @Nullable BlockNode primaryChild() {
    for (Edge edge : children.values()) {
      if (edge.roles().contains(EdgeRole.PRIMARY)) {
        return edge.child();
      }
    }
    return null;
  }

  /** The child of that name, or null. */
  @AnyThread
  public @Nullable Edge child(String childName) {
    return children.get(childName);
  }

  @HomeThread
  public void addWriteListener(WriteListener listener) {
    writeListeners.add(listener);
  }

  @HomeThread
  public void removeWriteListener(WriteListener listener) {
    writeListeners.remove(listener);
  }

  /** The dirty bitmaps, which follow the node's writes and its size. */
  @AnyThread
  public BitmapList bitmaps() {
    return bitmaps;
  }

  /** Tells when the node is written to beyond an offset. */
  @AnyThread
  public WriteThreshold writeThreshold() {
    return writeThreshold;
  }

  /** The end of what was written furthest out; 0 if nothing was. */
  @AnyThread
  public long highestWrittenBytes() {
    return highestWrittenBytes.get();
  }

  StatusCache statusCache() {
    return statusCache;
  }

  void reached(long endBytes) {
    highestWrittenBytes.accumulateAndGet(endBytes, Math::max);
  }

  void written(long offsetBytes, long lengthBytes) {
    bitmaps.mark(offsetBytes, lengthBytes);
    for (WriteListener listener : writeListeners) {
      listener.written(offsetBytes, lengthBytes);
    }
  }

  InFlight inFlight() {
    return inFlight;
  }

  TrackedRequests requests() {
    return requests;
  }

  /** Requests and queued work under way. */
  @AnyThread
  public int inFlightCount() {
    return inFlight.count();
  }

  // ------------------------------------------------------------------------------- structure

  /**
   * Adds a child while the driver opens, or while the node is drained. Main loop.
   *
   * @param permissions what is used until the node's parents say what they need
   */
  @InCoroutine
  public Edge attachChild(
      String childName, Set<EdgeRole> roles, BlockNode child, int permissions, int shared)
      throws BlockException {
    graph.checkMain();
    Check.state(driver == null || isQuiesced(), "%s gets a child while it is in use", this);
    Edge edge = new Edge(this, childName, roles, child);
    AioContext contextBefore = context;
    AioContext childContextBefore = child.context();
    child.reference();
    try {
      graph.lockTogether(this, child);
      try {
        Check.state(!children.containsKey(childName), "%s has a child '%s'", this, childName);
        PermissionUpdate.join(edge, permissions, shared);
      } finally {
        graph.unlockChanges();
      }
    } catch (BlockException refused) {
      graph.moveBack(this, contextBefore);
      graph.moveBack(child, childContextBefore);
      child.release();
      throw refused;
    }
    return edge;
  }

  /** Removes a child while the node is drained or closing; the child loses one reference. */
  @InCoroutine
  public void detachChild(Edge edge) {
    graph.checkMain();
    Check.state(
        closed || driver == null || isQuiesced(), "%s loses a child while it is in use", this);
    graph.lockChanges();
    try {
      childLeft(edge);
      edge.unlink();
      PermissionUpdate.relax(edge.child());
    } finally {
      graph.unlockChanges();
    }
    edge.child().releaseByParent();
  }

  void childJoined(Edge edge) {
    children.put(edge.name(), edge);
  }

  void childLeft(Edge edge) {
    children.remove(edge.name(), edge);
  }

  void reference() {
    Check.state(references > 0, "%s is closed", this);
    references++;
  }

  /** Gives up a reference that is not the last one. */
  void unreference() {
    references--;
    Check.state(references > 0, "%s loses its last reference unseen", this);
  }

  /** Gives one reference up; the last one closes the node. */
  @InCoroutine
  void release() {
    graph.checkMain();
    Check.state(references > 0, "%s is released too often", this);
    references--;
    if (references == 0) {
      graph.close(this);
    }
  }

  /** Gives up the reference of an edge that has gone; a node that nobody uses goes home. */
  @InCoroutine
  void releaseByParent() {
    release();
    if (!closed && parents.isEmpty() && context != graph.main()) {
      graph.sendHome(this);
    }
  }

  @AnyThread
  public boolean isClosed() {
    return closed;
  }

  /**
   * Whether nobody holds it any more: it is closed, or will be when what is under way has ended.
   */
  @HomeThread
  public boolean isGone() {
    return references == 0;
  }

  /**
   * The node is drained and nobody holds it any more: it leaves its loop, then its driver closes.
   */
  @InCoroutine
  void closeDriver() {
    closed = true;
    graph.lockChanges(); // whoever moves it comes first, or finds it closed
    Coroutine.moveTo(context);
    leaveContext();
    homeless = true;
    Coroutine.moveTo(graph.main());
    graph.unlockChanges();
    BlockDriver last = driver;
    if (last != null) {
      last.close();
    }
    driver = null;
    for (Edge edge : new ArrayList<>(children.values())) {
      detachChild(edge);
    }
  }

  // --------------------------------------------------------------------------------- quiescing

  @AnyThread
  public boolean isQuiesced() {
    return quiesceCount > 0;
  }

  /** How many drained sections hold the node, for checks. */
  @AnyThread
  public int quiesceCount() {
    return quiesceCount;
  }

  /** Parents first, then the driver; nothing here waits. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // written on the main loop only
  void quiesceSelf() {
    graph.checkMain();
    quiesceCount++;
    if (quiesceCount > 1) {
      return;
    }
    for (Edge edge : List.copyOf(parents)) {
      if (!edge.quiescesParent()) {
        edge.quiesceParent();
      }
    }
    if (driver instanceof BlockDriver.Quiescable quiescable) {
      quiescable.quiesce();
    }
  }

  /** The driver first, then the parents; nothing here waits. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // written on the main loop only
  void unquiesceSelf() {
    graph.checkMain();
    Check.state(quiesceCount > 0, "%s is not drained", this);
    quiesceCount--;
    if (quiesceCount > 0) {
      return;
    }
    if (driver instanceof BlockDriver.Quiescable quiescable) {
      quiescable.unquiesce();
    }
    if (!closed) {
      work.unquiesce();
    }
    for (Edge edge : List.copyOf(parents)) {
      if (edge.quiescesParent()) {
        edge.unquiesceParent();
      }
    }
  }

  /** Whether requests are under way here or above, from where more could come. */
  boolean isBusy() {
    if (!inFlight.isIdle()) {
      return true;
    }
    for (Edge edge : parents) {
      if (edge.isParentBusy()) {
        return true;
      }
    }
    return false;
  }

  /**
   * Opens a drained section: when it returns, nothing is under way on the node or above it, and
   * nothing new starts until the section is closed. Main loop. Sections nest.
   *
   * @param who opened it, for dumps
   */
  @InCoroutine
  public DrainedSection drain(String who) {
    return graph.drain(List.of(this), who);
  }

  // ------------------------------------------------------------------- as a parent of its children

  @Override
  public String describe() {
    return "node '" + name + "'";
  }

  @Override
  public void quiesce(Edge edge) {
    quiesceSelf();
  }

  @Override
  public boolean isBusy(Edge edge) {
    return isBusy();
  }

  @Override
  public void unquiesce(Edge edge) {
    unquiesceSelf();
  }

  @Override
  public void joinMove(Edge edge, ContextMove move) throws BlockException {
    move.include(this);
  }

  @Override
  public void childResized(Edge edge) {
    if (edge.roles().contains(EdgeRole.FILTERED)) {
      notifyResized();
    }
  }

  /** Tells everybody above that the size has changed. */
  @HomeThread
  void notifyResized() {
    for (Edge edge : List.copyOf(parents)) {
      edge.parent().childResized(edge);
    }
  }

  /** In the old loop, then in the new one: takes along what lives in the loop. */
  @HomeThread
  void leaveContext() {
    if (homeless) {
      return;
    }
    work.detach();
    if (driver instanceof BlockDriver.ContextBound bound) {
      bound.detachFromContext();
    }
  }

  @HomeThread
  void enterContext(AioContext target) {
    context = target;
    if (homeless) {
      return;
    }
    work.attach(target);
    if (driver instanceof BlockDriver.ContextBound bound) {
      bound.attachToContext(target);
    }
  }

  @Override
  public String toString() {
    return describe();
  }
}

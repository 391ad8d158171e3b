package org.tinamou.block;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.block.trace.DrainEvent;
import org.tinamou.block.trace.Trace;

/**
 * All nodes and backends of one program, and the changes made to them: opening, closing, replacing,
 * draining, moving to other loops. Everything that changes runs in coroutines of the main loop.
 *
 * <p>There is no reader lock. A change first drains the nodes whose edges it touches, so no request
 * can look at them; then it takes the change lock, which keeps changes apart and is never held
 * while draining; a request therefore never waits for a change it does not concern, nor the other
 * way round.
 */
public final class BlockGraph {
  /** Opens a driver for a node that has been made for it; runs on the main loop. */
  @FunctionalInterface
  public interface DriverFactory {
    @InCoroutine
    BlockDriver open(BlockNode node) throws BlockException;
  }

  private static final int MAX_TRIES = 100;

  private final AioContext main;
  private final Map<String, BlockNode> nodes = new LinkedHashMap<>();
  private final List<BlockBackend> backends = new ArrayList<>();
  private final List<DrainedSection> sections = new ArrayList<>();
  private final List<DrainedSection> drainAllSections = new ArrayList<>();
  private final CoMutex changes = new CoMutex("graph changes");
  private final BounceBuffers bounceBuffers = new BounceBuffers();
  private volatile Coroutine[] drainWaiters = new Coroutine[0];
  private final NodeEvents events;
  private long nextName = 1;

  /** An empty graph, which is changed on the loop {@code main}. */
  public BlockGraph(AioContext main) {
    this.main = main;
    this.events = new NodeEvents(main);
  }

  @AnyThread
  public AioContext main() {
    return main;
  }

  BounceBuffers bounceBuffers() {
    return bounceBuffers;
  }

  /** What nodes tell beside the results of requests. */
  @AnyThread
  public NodeEvents events() {
    return events;
  }

  /** Where drivers tell of damage they come across while they are in use; a log at first. */
  @HomeThread
  public void tellDamageTo(Consumer<String> lines) {
    events.tellDamageTo(lines);
  }

  /**
   * Where drivers tell of what fails while nobody waits for it, as when an image is closed: lines
   * for people, to be told in the program's name. They go where damage goes at first.
   */
  @HomeThread
  public void tellErrorsTo(Consumer<String> lines) {
    events.tellErrorsTo(lines);
  }

  /** Tells of an error that no request can tell of. */
  @AnyThread
  public void complain(String line) {
    events.complain(line);
  }

  /** Tells of damage, in the reference's words. */
  @AnyThread
  public void diagnose(String line) {
    events.diagnose(line);
  }

  void checkMain() {
    Check.state(main.isHome(), "the block graph is changed on its main loop only");
  }

  /**
   * Whether a change that has drained its nodes is under way. Between two of its steps other
   * coroutines of the main loop may see some nodes changed, as moved to another loop, others not.
   */
  @HomeThread
  public boolean isChanging() {
    return changes.holder() != null;
  }

  // ------------------------------------------------------------------------------ nodes, names

  /** The node of that name, or null. */
  @HomeThread
  public @Nullable BlockNode node(String name) {
    return nodes.get(name);
  }

  @HomeThread
  public Collection<BlockNode> nodes() {
    return List.copyOf(nodes.values());
  }

  @HomeThread
  public List<BlockBackend> backends() {
    return List.copyOf(backends);
  }

  void add(BlockBackend backend) {
    checkMain();
    backends.add(backend);
  }

  void remove(BlockBackend backend) {
    checkMain();
    backends.remove(backend);
  }

  /**
   * Opens a node. The caller holds one reference to it, given back with {@link #release}.
   *
   * @param name null for a generated one
   * @param context its first loop
   */
  @InCoroutine
  public BlockNode open(
      @Nullable String name, boolean readOnly, AioContext context, DriverFactory factory)
      throws BlockException {
    return open(name, NodeOptions.of(readOnly), context, factory);
  }

  /**
   * Opens a node with options; else as {@link #open(String, boolean, AioContext, DriverFactory)}.
   * The driver finds its options in the node.
   */
  @InCoroutine
  public BlockNode open(
      @Nullable String name, NodeOptions options, AioContext context, DriverFactory factory)
      throws BlockException {
    checkMain();
    options.check();
    String chosen = name == null ? generatedName() : name;
    for (BlockBackend backend : backends) {
      if (backend.name().equals(name)) {
        throw new BlockException(
            Errno.EEXIST, "node-name=" + name + " is conflicting with a device id");
      }
    }
    if (nodes.containsKey(chosen)) {
      throw new BlockException(Errno.EEXIST, "Duplicate nodes with node-name='" + chosen + "'");
    }
    BlockNode node = new BlockNode(this, chosen, options, context);
    nodes.put(chosen, node);
    for (DrainedSection section : drainAllSections) {
      node.quiesceSelf();
      section.nodes().add(node);
    }
    try {
      BlockDriver opened = factory.open(node);
      lockChanges();
      try {
        node.driver(opened);
        PermissionUpdate.renew(node);
      } catch (BlockException | RuntimeException refused) {
        nodes.remove(chosen); // its children may not be used as it needs: nobody finds it
        throw refused;
      } finally {
        unlockChanges();
      }
      return node;
    } catch (BlockException | RuntimeException failure) {
      release(node);
      throw failure;
    }
  }

  /** With three digits at least, of which the last two are no number to count on. */
  private String generatedName() {
    long number = nextName++;
    long digits = number * 61 % 100;
    return "#block" + number + digits / 10 + digits % 10;
  }

  /** Gives up a reference that {@link #open} or {@link #reference} gave. */
  @InCoroutine
  public void release(BlockNode node) {
    node.release();
  }

  /** Another reference to the node. */
  @HomeThread
  public void reference(BlockNode node) {
    checkMain();
    node.reference();
  }

  /** Nobody holds the node any more. */
  @InCoroutine
  void close(BlockNode node) {
    nodes.remove(node.name(), node);
    try (DrainedSection drained = drain(List.of(node), "close of " + node.name())) {
      node.closeDriver();
    }
  }

  // ----------------------------------------------------------------------------------- draining

  /** Opens a drained section over several nodes; see {@link BlockNode#drain}. */
  @InCoroutine
  public DrainedSection drain(Collection<BlockNode> which, String who) {
    checkMayDrain();
    DrainedSection section = new DrainedSection(this, new ArrayList<>(which), who);
    sections.add(section);
    for (BlockNode node : section.nodes()) {
      node.quiesceSelf();
    }
    awaitIdle(section);
    return section;
  }

  /** Opens a drained section over all nodes, and those that are opened while it lasts. */
  @InCoroutine
  public DrainedSection drainAll(String who) {
    checkMayDrain();
    DrainedSection section = new DrainedSection(this, new ArrayList<>(nodes.values()), who);
    sections.add(section);
    drainAllSections.add(section);
    for (BlockNode node : List.copyOf(section.nodes())) {
      node.quiesceSelf();
    }
    awaitIdle(section);
    return section;
  }

  /** What is drained may need a change to finish first, so nobody who makes one may wait for it. */
  private void checkMayDrain() {
    checkMain();
    Check.state(
        changes.holder() != Coroutine.current(), "the graph is drained while it is being changed");
  }

  void forget(DrainedSection section) {
    sections.remove(section);
    drainAllSections.remove(section);
  }

  /**
   * Announces itself, then looks, then waits: whoever ends work looks after it has counted down.
   */
  private void awaitIdle(DrainedSection section) {
    DrainEvent event = Trace.drain();
    Coroutine self = Coroutine.current();
    addDrainWaiter(self);
    try {
      while (isBusy(section)) {
        Coroutine.suspend("drain of " + section.who());
      }
    } finally {
      removeDrainWaiter(self);
    }
    if (event != null && event.shouldCommit()) {
      event.who = section.who();
      event.nodes = section.nodes().size();
      event.commit();
    }
  }

  private static boolean isBusy(DrainedSection section) {
    return section.nodes().stream().anyMatch(BlockNode::isBusy);
  }

  private void addDrainWaiter(Coroutine waiter) {
    Coroutine[] before = drainWaiters;
    Coroutine[] after = Arrays.copyOf(before, before.length + 1);
    after[before.length] = waiter;
    drainWaiters = after;
  }

  private void removeDrainWaiter(Coroutine waiter) {
    List<Coroutine> left = new ArrayList<>(List.of(drainWaiters));
    left.remove(waiter);
    drainWaiters = left.toArray(Coroutine[]::new);
  }

  /** Something came to rest: lets drains look again. */
  @AnyThread
  public void kick() {
    for (Coroutine waiter : drainWaiters) {
      waiter.wake();
    }
  }

  /** The drained sections that are open, for dumps. */
  @HomeThread
  public List<DrainedSection> openSections() {
    return List.copyOf(sections);
  }

  // ---------------------------------------------------------------------------------- structure

  /** Keeps other changes out. Taken after draining; nothing is drained while it is held. */
  @InCoroutine
  void lockChanges() {
    changes.lock();
  }

  @InCoroutine
  void unlockChanges() {
    changes.unlock();
  }

  /**
   * A driver needs something else of its children from now on: says so and asks for it in one step.
   *
   * @param change has the driver answer differently
   * @param undo has it answer as before, if that is refused
   */
  @InCoroutine
  public void changeNeeds(BlockNode node, Runnable change, Runnable undo) throws BlockException {
    checkMain();
    lockChanges();
    try {
      change.run();
      PermissionUpdate.renew(node);
    } catch (BlockException | RuntimeException refused) {
      undo.run();
      throw refused;
    } finally {
      unlockChanges();
    }
  }

  /** Takes the change lock with both in one loop, where one of them goes if it has to. */
  @InCoroutine
  void lockTogether(BlockNode parent, BlockNode child) throws BlockException {
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      bringTogether(parent, child);
      lockChanges();
      if (parent.context() == child.context()) {
        return;
      }
      unlockChanges();
    }
    throw keepsChanging(child);
  }

  private static BlockException keepsChanging(BlockNode node) {
    return new BlockException(Errno.EBUSY, "The graph around '" + node.name() + "' keeps changing");
  }

  static boolean reaches(BlockNode from, BlockNode to) {
    if (from == to) {
      return true;
    }
    for (Edge edge : from.children()) {
      if (reaches(edge.child(), to)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Puts {@code to} in the place of {@code from}: all parents of {@code from} point to {@code to}
   * afterwards, except those that are part of {@code to} itself and whoever {@linkplain NodeHold
   * holds} just that node. Both are drained meanwhile.
   *
   * @throws BlockException if a parent's permissions do not fit or there would be a cycle; nothing
   *     has changed then
   */
  @InCoroutine
  public void replace(BlockNode from, BlockNode to) throws BlockException {
    replace(from, to, edge -> true);
  }

  /** The same for one edge alone, whoever its parent is. */
  @InCoroutine
  public void replace(Edge edge, BlockNode to) throws BlockException {
    if (edge.parent() instanceof BlockNode parent && reaches(to, parent)) {
      throw new BlockException(
          Errno.EINVAL,
          "Making '%s' a %s child of '%s' would create a cycle"
              .formatted(to.name(), edge.name(), parent.name()));
    }
    replace(edge.child(), to, each -> each == edge);
  }

  /**
   * As {@link #replace(BlockNode, BlockNode)}, for some of the parents.
   *
   * @param which whether a parent's edge is to point to {@code to}; asked on the main loop
   */
  @InCoroutine
  public void replace(BlockNode from, BlockNode to, Predicate<Edge> which) throws BlockException {
    checkMain();
    if (from == to) {
      return;
    }
    from.reference();
    to.reference();
    AioContext fromBefore = from.context();
    AioContext toBefore = to.context();
    try {
      replaceReferenced(from, to, which);
    } catch (BlockException refused) {
      moveBack(to, toBefore);
      moveBack(from, fromBefore);
      from.release();
      throw refused;
    } finally {
      to.release();
    }
    from.releaseByParent();
  }

  private void replaceReferenced(BlockNode from, BlockNode to, Predicate<Edge> which)
      throws BlockException {
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      bringTogether(from, to);
      try (DrainedSection drained = drain(List.of(from, to), "replace " + from.name())) {
        lockChanges();
        try {
          if (from.context() == to.context()) {
            Retargeting.apply(from, to, which);
            return;
          }
        } finally {
          unlockChanges();
        }
      }
    }
    throw keepsChanging(from);
  }

  // ------------------------------------------------------------------------------------- reopening

  /**
   * Gives nodes other options and children: all of them, or none. Their drivers have to be {@link
   * BlockDriver.Reopenable}. The nodes are drained meanwhile.
   *
   * @param which one change for each node; every child that is named stays open until it is done
   * @throws BlockException if a driver refuses, permissions or loops do not fit, or there would be
   *     a cycle; nothing has changed then
   */
  @InCoroutine
  public void reopen(List<ReopenChange> which) throws BlockException {
    checkMain();
    Set<BlockNode> nodesInUse = new LinkedHashSet<>();
    Set<BlockNode> drainedNodes = new LinkedHashSet<>();
    for (ReopenChange change : which) {
      nodesInUse.add(change.node());
      drainedNodes.add(change.node());
      change.children().forEach(child -> nodesInUse.add(child.child()));
    }
    nodesInUse.remove(null);
    nodesInUse.forEach(BlockNode::reference);
    try {
      for (int tries = 0; tries < MAX_TRIES; tries++) {
        Reopen reopen = new Reopen(which);
        if (tryReopen(reopen, drainedNodes)) {
          reopen.releaseChildren();
          return;
        }
        drainedNodes.addAll(reopen.nodesToMove());
      }
      throw keepsChanging(which.getFirst().node());
    } finally {
      nodesInUse.forEach(BlockNode::release);
    }
  }

  private boolean tryReopen(Reopen reopen, Set<BlockNode> drainedNodes) throws BlockException {
    try (DrainedSection drained = drain(drainedNodes, "reopen")) {
      lockChanges();
      try {
        if (!reopen.prepare(drainedNodes)) {
          return false;
        }
        reopen.commit();
        return true;
      } finally {
        unlockChanges();
      }
    }
  }

  // -------------------------------------------------------------------------------------- moves

  /** Makes both live in one loop: the child moves to the parent's, or the parent to the child's. */
  @InCoroutine
  void bringTogether(BlockNode parent, BlockNode child) throws BlockException {
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      AioContext above = parent.context();
      AioContext below = child.context();
      if (above == below) {
        return;
      }
      BlockException refused = tryMove(child, above);
      BlockException refusedToo = refused == null ? null : tryMove(parent, below);
      if (refused == null || refusedToo == null) {
        return;
      }
      if (parent.context() == above && child.context() == below) {
        refused.addSuppressed(refusedToo);
        throw refused;
      }
      // Another move was seen half-way, or was first.
    }
    throw keepsChanging(child);
  }

  /** Moves a node, or returns why not. */
  private @Nullable BlockException tryMove(BlockNode node, AioContext target) {
    try {
      moveToContext(node, target);
      return null;
    } catch (BlockException refused) {
      return refused;
    }
  }

  /**
   * Moves a node, with all that is connected to it, to another loop. Requests that come meanwhile
   * wait and then run.
   *
   * @throws BlockException if anybody refuses; everything is as it was then
   */
  @InCoroutine
  public void moveToContext(BlockNode node, AioContext target) throws BlockException {
    checkMain();
    for (int tries = 0; tries < MAX_TRIES; tries++) {
      List<BlockNode> expected = ContextMove.of(node, target).nodes();
      try (DrainedSection drained = drain(expected, "move to " + target.name())) {
        changes.lock();
        try {
          ContextMove move = ContextMove.of(node, target);
          if (move.nodes().equals(expected) && move.isNothingQueued()) {
            move.commit();
            return;
          }
          // The graph changed while it was being drained, or another move was first: once more.
        } finally {
          changes.unlock();
        }
      }
    }
    throw keepsChanging(node);
  }

  /**
   * After a change was refused for which it had moved. It stays if somebody who is bound to the
   * loop has joined meanwhile.
   */
  @InCoroutine
  void moveBack(BlockNode node, AioContext before) {
    if (node.context() != before) {
      tryMove(node, before);
    }
  }

  /**
   * A node without parents goes back to the main loop, unless somebody below is bound to its own.
   */
  @InCoroutine
  void sendHome(BlockNode node) {
    tryMove(node, main);
  }
}

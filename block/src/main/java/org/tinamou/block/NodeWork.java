package org.tinamou.block;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;

/**
 * What a node has queued or armed in its loop. Queued work (a pending callback, a scheduled
 * coroutine) counts as in flight, so whoever drains or moves the node waits for it; timers do not:
 * they are disarmed when the node leaves a loop and armed again in the next one.
 */
public final class NodeWork {
  /** A timer that follows its node from loop to loop and rests while the node is drained. */
  public final class NodeTimer {
    private final ClockType clock;
    private final String name;
    private final Runnable callback;
    private AioTimer timer;
    private boolean wanted;
    private long deadlineNanos;

    private NodeTimer(ClockType clock, String name, Runnable callback) {
      this.clock = clock;
      this.name = name;
      this.callback = callback;
      this.timer = node.context().timer(clock, name, this::fire);
    }

    /** Fires once at a point in time of its clock. In the node's loop. */
    @HomeThread
    public void armAt(long deadline) {
      wanted = true;
      deadlineNanos = deadline;
      timer.armAt(deadline);
    }

    /** Does not fire any more. In the node's loop. */
    @HomeThread
    public void cancel() {
      wanted = false;
      timer.cancel();
    }

    private void fire() {
      if (!tryBegin()) {
        return; // drained: unquiesce() looks after it
      }
      try {
        wanted = false;
        callback.run();
      } finally {
        end();
      }
    }

    private void detach() {
      timer.cancel();
    }

    private void attach(AioContext context) {
      timer = context.timer(clock, name, this::fire);
      rearm();
    }

    private void rearm() {
      if (wanted && !timer.isArmed()) {
        timer.armAt(deadlineNanos);
      }
    }
  }

  private final BlockNode node;
  private final InFlight inFlight;
  private final AtomicInteger queued = new AtomicInteger();

  /** Added to in the node's loop, and looked at wherever the node is drained. */
  private final List<NodeTimer> timers = new CopyOnWriteArrayList<>();

  private volatile RemotePatience.@Nullable Peer opening;

  private final CoQueue undrained = new CoQueue("drained node");

  NodeWork(BlockNode node, InFlight inFlight) {
    this.node = node;
    this.inFlight = inFlight;
  }

  /** For a driver that waits for somebody while it opens: whom, or null when it does no more. */
  @AnyThread
  public void opening(RemotePatience.@Nullable Peer peer) {
    opening = peer;
  }

  RemotePatience.@Nullable Peer opening() {
    return opening;
  }

  /**
   * Runs the callback once in the node's loop. The caller is itself in flight on the node, or runs
   * in the node's loop, or on the main loop.
   */
  @AnyThread
  public void schedule(String name, Runnable callback) {
    begin();
    node.context()
        .scheduleOnce(
            name,
            () -> {
              try {
                checkHome(name);
                callback.run();
              } finally {
                endQueued();
              }
            });
  }

  /** Starts a coroutine in the node's loop; it is in flight until it ends. */
  @AnyThread
  public Coroutine spawn(String name, Coroutine.Body body) {
    begin();
    return node.context()
        .spawn(
            name,
            () -> {
              Coroutine.describe(node);
              try {
                body.run();
              } finally {
                endQueued();
              }
            });
  }

  private void begin() {
    inFlight.begin();
    queued.incrementAndGet();
  }

  private void endQueued() {
    queued.decrementAndGet();
    inFlight.end();
  }

  private void checkHome(String name) {
    Check.state(
        node.context().isHome(), "%s of %s runs outside of %s", name, node, node.context().name());
  }

  /** A timer of the node. */
  @HomeThread
  public NodeTimer timer(ClockType clock, String name, Runnable callback) {
    NodeTimer timer = new NodeTimer(clock, name, callback);
    timers.add(timer);
    return timer;
  }

  /**
   * Starts something unless the node is drained; balanced by {@link #end()} if it returned true.
   */
  @AnyThread
  public boolean tryBegin() {
    inFlight.begin();
    if (node.isQuiesced()) {
      inFlight.end();
      return false;
    }
    return true;
  }

  @AnyThread
  public void end() {
    inFlight.end();
  }

  /** Something that has the node's driver make requests. */
  @FunctionalInterface
  public interface Action {
    @InCoroutine
    void run() throws BlockException;
  }

  /**
   * Has the driver do something that no backend asks for, as a request: it waits as long as anybody
   * has the node drained, and whoever drains or moves the node waits for it. The caller has drained
   * nothing.
   */
  @InCoroutine
  public void perform(Action action) throws BlockException {
    while (!tryBegin()) {
      undrained.awaitUnless(() -> !node.isQuiesced());
    }
    try {
      action.run();
    } finally {
      end();
    }
  }

  /** Something has been written past the node's requests, so that a flush has something to do. */
  @AnyThread
  public void noteWritten() {
    node.flushState.written();
  }

  /** How many callbacks and coroutines are queued or running. */
  @AnyThread
  public int queued() {
    return queued.get();
  }

  static boolean isNothingQueued(Collection<BlockNode> nodes) {
    return nodes.stream().allMatch(node -> node.work().queued() == 0);
  }

  /** In the old loop: nothing of the node remains there. */
  @HomeThread
  void detach() {
    Check.state(
        queued.get() == 0, "%s leaves %s with work queued there", node, node.context().name());
    timers.forEach(NodeTimer::detach);
  }

  /** In the new loop. */
  @HomeThread
  void attach(AioContext context) {
    timers.forEach(timer -> timer.attach(context));
  }

  /** Timers that came due while the node was drained fire now. */
  void unquiesce() {
    undrained.wakeAll();
    if (!timers.isEmpty()) {
      schedule("timers of " + node.name(), () -> timers.forEach(NodeTimer::rearm));
    }
  }
}

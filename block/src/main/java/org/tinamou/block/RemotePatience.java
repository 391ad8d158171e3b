package org.tinamou.block;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.ClockType;

/**
 * A time in which what is {@link BlockDriver.Remote remote} at some nodes or below them is not
 * waited for without bounds, because somebody gives up or everything ends: nobody waits for a peer
 * that was lost to come back, and one that answers nothing for {@link #SILENCE_NANOS} while it is
 * asked for something is given up with what it was asked. A peer that answers is left alone. A node
 * that waits for one while it is opened is not opened.
 *
 * <p>Main loop.
 */
public final class RemotePatience implements AutoCloseable {
  /** Somebody who asks for something, and may never get an answer. */
  public interface Peer {
    /** Waits no longer: requests under way fail, and so do all that come. */
    @AnyThread
    void giveUp();

    /**
     * Requests do not wait for a peer that was lost until {@link #restorePatience}: they fail.
     * Balanced; calls nest. The node need not be at rest.
     *
     * @param nowNanos of the clock that {@link #dropIfSilent} goes by
     */
    @HomeThread
    void limitPatience(long nowNanos);

    @HomeThread
    void restorePatience();

    /**
     * Gives up what a peer has been asked for, if it has answered nothing for some time: those
     * requests fail. The silence begins with {@link #limitPatience} at the earliest. Called again
     * and again between that and {@link #restorePatience}.
     */
    @HomeThread
    void dropIfSilent(long nowNanos, long silenceNanos);
  }

  /** How long a peer may be silent. */
  public static final long SILENCE_NANOS = 2_000_000_000L;

  private static final long LOOK_NANOS = 250_000_000L;

  private final BlockGraph graph;
  private final Supplier<Collection<BlockNode>> nodes;
  private final Set<Peer> watched = Collections.newSetFromMap(new IdentityHashMap<>());
  private final AioTimer timer;

  private RemotePatience(BlockGraph graph, Supplier<Collection<BlockNode>> nodes) {
    this.graph = graph;
    this.nodes = nodes;
    this.timer = graph.main().timer(ClockType.REALTIME, "patience with peers", this::look);
  }

  /**
   * Begins the time.
   *
   * @param nodes asked again and again; nodes that are closed do not matter
   */
  @HomeThread
  public static RemotePatience limit(BlockGraph graph, Supplier<Collection<BlockNode>> nodes) {
    graph.checkMain();
    RemotePatience patience = new RemotePatience(graph, nodes);
    patience.look();
    return patience;
  }

  private void look() {
    long now = graph.main().clocks().nanos(ClockType.REALTIME);
    List<Peer> found = new ArrayList<>();
    nodes.get().forEach(node -> collect(node, found));
    for (Peer each : found) {
      if (watched.add(each)) {
        each.limitPatience(now);
      }
      each.dropIfSilent(now, SILENCE_NANOS);
    }
    timer.armIn(LOOK_NANOS);
  }

  /** With whom a node speaks, or tries to while it is opened; null for one that is not remote. */
  @AnyThread
  public static @Nullable Peer peerOf(BlockNode node) {
    return node.driverOrNull() instanceof BlockDriver.Remote remote
        ? remote
        : node.work().opening();
  }

  private static void collect(BlockNode node, List<Peer> found) {
    Peer peer = peerOf(node);
    if (peer != null) {
      found.add(peer);
    }
    node.children().forEach(edge -> collect(edge.child(), found));
  }

  /** Peers are waited for as before. May be repeated. */
  @Override
  @HomeThread
  public void close() {
    timer.cancel();
    watched.forEach(Peer::restorePatience);
    watched.clear();
  }
}

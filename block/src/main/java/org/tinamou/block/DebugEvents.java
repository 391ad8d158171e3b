package org.tinamou.block;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.InCoroutine;

/** Carries what is about to be done to whoever wants to be told. */
final class DebugEvents {
  private DebugEvents() {}

  /** Tells a node's driver what is about to be done to it. */
  @InCoroutine
  static void announce(BlockNode node, DebugEvent event) {
    if (node.driverOrNull() instanceof BlockDriver.EventSink sink) {
      sink.announced(event);
    }
  }

  /** Tells the driver of the primary child, if there is one. */
  @InCoroutine
  static void announceBelow(BlockNode node, DebugEvent event) {
    BlockNode below = primaryChild(node);
    if (below != null) {
      announce(below, event);
    }
  }

  /** The node that a command without a child name goes on to, or null. */
  @AnyThread
  static @Nullable BlockNode primaryChild(BlockNode node) {
    for (Edge edge : node.children()) {
      if (edge.roles().contains(EdgeRole.PRIMARY)) {
        return edge.child();
      }
    }
    return null;
  }
}

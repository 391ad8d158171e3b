package org.tinamou.block;

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
    BlockNode below = node.primaryChild();
    if (below != null) {
      announce(below, event);
    }
  }
}

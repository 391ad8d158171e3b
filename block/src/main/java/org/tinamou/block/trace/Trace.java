package org.tinamou.block.trace;

import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/**
 * Where events come from. As long as nobody has asked for a recording in this process there are
 * none: to load the class of one event alone takes longer than most commands of the tools.
 */
public final class Trace {
  private Trace() {}

  /** A request comes in. */
  @AnyThread
  public static @Nullable RequestEvent request() {
    return FlightRecorder.isInitialized() ? begun(new RequestEvent()) : null;
  }

  /** Somebody begins to wait for nodes to come to rest. */
  @AnyThread
  public static @Nullable DrainEvent drain() {
    return FlightRecorder.isInitialized() ? begun(new DrainEvent()) : null;
  }

  /** Nodes begin to go to another loop. */
  @AnyThread
  public static @Nullable ContextMoveEvent contextMove() {
    return FlightRecorder.isInitialized() ? begun(new ContextMoveEvent()) : null;
  }

  private static <E extends Event> E begun(E event) {
    event.begin();
    return event;
  }
}

package org.tinamou.daemon;

import org.tinamou.aio.AioContext;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.monitor.Events;
import org.tinamou.qapi.Json;

/** Takes events of any loop to whoever listens on the main one. */
public final class EventSink implements Events {
  private final AioContext main;
  private Events target = (name, data) -> {};

  EventSink(AioContext main) {
    this.main = main;
  }

  /** Where events go from now on. */
  @HomeThread
  public void tellTo(Events listener) {
    target = listener;
  }

  @Override
  public void emit(String name, Json.Members data) {
    target.emit(name, data);
  }

  /** Tells of an event soon. */
  @AnyThread
  public void emitSoon(String name, Json.Members data) {
    main.scheduleOnce("event " + name, () -> target.emit(name, data));
  }
}

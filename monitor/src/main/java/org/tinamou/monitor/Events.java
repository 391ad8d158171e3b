package org.tinamou.monitor;

import org.tinamou.aio.HomeThread;
import org.tinamou.qapi.Json;

/** Where events go: to all monitors that have finished their negotiation. */
@FunctionalInterface
public interface Events {
  /**
   * Tells of an event, now.
   *
   * @param name as the schema has it
   * @param data its members, in the schema's order
   */
  @HomeThread
  void emit(String name, Json.Members data);
}

package org.tinamou.block.trace;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** How long it took until nothing was under way on the nodes of a drained section. */
@Name(DrainEvent.NAME)
@Label("Drain")
@Category({"Tinamou", "Block"})
@StackTrace(false)
public final class DrainEvent extends Event {
  public static final String NAME = "tinamou.Drain";

  /** Who opened the section. */
  @Label("Who")
  public String who = "";

  @Label("Nodes")
  public int nodes;
}

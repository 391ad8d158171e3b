package org.tinamou.block.trace;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Connected nodes that went to another loop together; the time is that of the change itself. */
@Name(ContextMoveEvent.NAME)
@Label("Context Move")
@Category({"Tinamou", "Block"})
@StackTrace(false)
public final class ContextMoveEvent extends Event {
  public static final String NAME = "tinamou.ContextMove";

  @Label("Target")
  public String target = "";

  @Label("Nodes")
  public int nodes;
}

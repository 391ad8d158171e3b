package org.tinamou.aio;

import jdk.jfr.Category;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** Recorded for every loop that is found standing still, beside whatever else is told of it. */
@Name(LoopStallEvent.NAME)
@Label("Loop Stall")
@Category({"Tinamou", "Loop"})
@StackTrace(false)
public final class LoopStallEvent extends Event {
  public static final String NAME = "tinamou.LoopStall";

  @Label("Loop")
  public String loop = "";

  /** What stands still, and where: lines as {@link Watchdog.Stall} shows them. */
  @Label("Report")
  public String report = "";
}

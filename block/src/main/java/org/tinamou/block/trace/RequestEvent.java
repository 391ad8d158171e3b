package org.tinamou.block.trace;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;

/**
 * A request of a backend, from where it comes in to where its result is known; time that it waits
 * while the disk is drained is part of it. Off unless a recording turns it on.
 */
@Name(RequestEvent.NAME)
@Label("Block Request")
@Category({"Tinamou", "Block"})
@Enabled(false)
@StackTrace(false)
public final class RequestEvent extends Event {
  public static final String NAME = "tinamou.BlockRequest";

  @Label("Backend")
  public String backend = "";

  @Label("Kind")
  public String kind = "";

  @Label("Offset")
  @DataAmount
  public long offsetBytes;

  @Label("Length")
  @DataAmount
  public long lengthBytes;

  /** Where its coroutine ran when it ended, whichever loop the disk belongs to. */
  @Label("Loop")
  public String loop = "";

  /** Whether it failed; what an error policy has ignored has not. */
  @Label("Failed")
  public boolean failed = true;

  /** Passes the result of a request through that went well. */
  public boolean succeeded(boolean result) {
    failed = false;
    return result;
  }

  /** It has ended. */
  @InCoroutine
  public void ended(String madeBy, String kindOfIo, long offset, long length) {
    if (shouldCommit()) {
      backend = madeBy;
      loop = Coroutine.current().context().name();
      kind = kindOfIo;
      offsetBytes = offset;
      lengthBytes = length;
      commit();
    }
  }
}

package org.tinamou.nbd.wire;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.AioTimer;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Check;
import org.tinamou.base.ClockType;

/** Ends a connection whose peer does not go on. Belongs to the loop of its session. */
public final class Deadline {
  private final StreamSocket socket;
  private AioTimer timer;
  private @Nullable String passed;
  private String waitingFor = "";

  public Deadline(AioContext context, StreamSocket socket) {
    this.socket = socket;
    this.timer = context.timer(ClockType.REALTIME, "NBD deadline", this::fire);
  }

  /** Belongs to another loop from now on; not armed. In the old loop, and used in the new one. */
  @HomeThread
  public void moveTo(AioContext context) {
    Check.state(!timer.isArmed(), "a deadline moves while it is armed");
    timer = context.timer(ClockType.REALTIME, "NBD deadline", this::fire);
  }

  private void fire() {
    passed = "the peer took too long to send " + waitingFor;
    socket.shutdown();
  }

  /** Ends the connection in so many nanoseconds, unless {@link #disarm} comes first. */
  @HomeThread
  public void arm(long nanos, String what) {
    if (nanos > 0) {
      waitingFor = what;
      timer.armIn(nanos);
    }
  }

  @HomeThread
  public void disarm() {
    timer.cancel();
  }

  @HomeThread
  public boolean isArmed() {
    return timer.isArmed();
  }

  /** What was waited for too long, or null. */
  @HomeThread
  public @Nullable String passed() {
    return passed;
  }
}

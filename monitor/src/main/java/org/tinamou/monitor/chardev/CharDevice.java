package org.tinamou.monitor.chardev;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Check;

/**
 * Something that carries characters between one user and a world in which others come and go.
 * Belongs to the main loop.
 */
public abstract class CharDevice {
  private final String id;
  private boolean used;

  CharDevice(String id) {
    this.id = id;
  }

  public final String id() {
    return id;
  }

  /** As lists show it. */
  @HomeThread
  public abstract String fileName();

  /**
   * Waits for the next connection, which is the caller's. Only the user calls it, one call at a
   * time.
   *
   * @return null if there will be no more
   */
  @InCoroutine
  public abstract @Nullable StreamSocket next();

  /** Waits until there is what a user was promised, for a device that was asked to wait. */
  @InCoroutine
  public void awaitReady() {}

  /**
   * Says whether the user edits lines and shows what is typed itself; matters to a terminal only.
   */
  @HomeThread
  public void setRaw(boolean raw) {}

  /** Whether it is a connection, or waits for some, so that one that hangs can be cut. */
  @HomeThread
  public boolean canBeCut() {
    return false;
  }

  /** Cuts the connection there is, if there is one; whoever uses it sees its end. */
  @HomeThread
  public void cut() {}

  /** Lets go of everything; whoever waits in {@link #next} gets null. Idempotent. */
  @HomeThread
  public abstract void close();

  /** The file that is to be removed when the device is closed, or null. */
  @Nullable Path leftBehindOrNull() {
    return null;
  }

  /** Takes the device for a user; false if it has one. */
  @HomeThread
  public final boolean claim() {
    boolean free = !used;
    used = true;
    return free;
  }

  /** The user leaves. */
  @HomeThread
  public final void release() {
    Check.state(used, "nobody uses %s", id);
    used = false;
  }

  /** Whether somebody uses it. */
  @HomeThread
  public final boolean isUsed() {
    return used;
  }
}

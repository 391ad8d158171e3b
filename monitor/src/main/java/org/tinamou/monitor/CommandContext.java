package org.tinamou.monitor;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.HomeThread;

/** Whoever a command came from. */
public interface CommandContext {
  /** For a command that no monitor has sent. */
  CommandContext NONE = () -> -1;

  /**
   * The descriptor that was passed along with the command, which is the command's from now on; -1
   * if there is none.
   */
  @HomeThread
  int takeDescriptor();

  /**
   * The monitor the command came from: what clients leave there by name is not seen from others.
   * The clients of one character device, one after the other, have the same. Null: from none.
   */
  @HomeThread
  default @Nullable Object monitor() {
    return null;
  }
}

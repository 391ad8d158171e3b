package org.tinamou.monitor;

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
}

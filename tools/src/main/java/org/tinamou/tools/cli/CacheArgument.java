package org.tinamou.tools.cli;

import org.tinamou.drivers.protocol.file.CacheMode;

/** Cache modes on command lines. */
public final class CacheArgument {
  private CacheArgument() {}

  /**
   * Reads a mode's name.
   *
   * @param what how the message calls the option, e.g. "cache option"
   */
  public static CacheMode parse(String what, String text) throws ToolException {
    CacheMode mode = CacheMode.parse(text);
    if (mode == null) {
      throw new ToolException("Invalid " + what + ": " + text);
    }
    return mode;
  }
}

package org.tinamou.tools.daemon;

import org.tinamou.tools.cli.ToolMain;

/** The storage daemon as a program. */
public final class DaemonMain {
  private DaemonMain() {}

  /** Runs the daemon and ends the process with its exit code. */
  public static void main(String[] arguments) {
    int exitCode = run(arguments);
    // To return is quicker than to exit, which looks for somebody to log to.
    if (exitCode != 0) {
      System.exit(exitCode);
    }
  }

  /** Runs the daemon on the process's streams and returns its exit code. */
  public static int run(String[] arguments) {
    return ToolMain.run(new DaemonTool(), "tinamou-storage-daemon", arguments);
  }
}

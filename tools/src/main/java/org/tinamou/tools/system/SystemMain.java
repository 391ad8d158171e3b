package org.tinamou.tools.system;

import org.tinamou.tools.cli.ToolMain;

/** The machine front as a program. */
public final class SystemMain {
  private SystemMain() {}

  /** Runs the tool and ends the process with its exit code. */
  public static void main(String[] arguments) {
    int exitCode = run(arguments);
    // To return is quicker than to exit, which looks for somebody to log to.
    if (exitCode != 0) {
      System.exit(exitCode);
    }
  }

  /** Runs the tool on the process's streams and returns its exit code. */
  public static int run(String[] arguments) {
    return ToolMain.run(new SystemTool(), "tinamou-system", arguments);
  }
}

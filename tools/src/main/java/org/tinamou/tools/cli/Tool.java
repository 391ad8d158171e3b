package org.tinamou.tools.cli;

import java.io.InputStream;
import java.io.PrintStream;
import java.util.List;

/** A command-line tool that can also be run inside another program. */
public interface Tool {
  /**
   * Runs the tool once, on the calling thread, which must not be in a loop or coroutine.
   *
   * @param program the name the tool goes by in its messages
   * @param arguments the words behind the name
   * @return the exit code
   */
  default int run(
      String program, String[] arguments, InputStream in, PrintStream out, PrintStream err) {
    Console console = new Console(program, in, out, err);
    try {
      return run(console, List.of(arguments));
    } catch (ToolException e) {
      if (isOnTerminal()) {
        out.flush(); // elsewhere what was printed waits, as the reference's does, and comes behind
      }
      return console.fail(e);
    } finally {
      out.flush();
      err.flush();
    }
  }

  /**
   * Does the work.
   *
   * @return the exit code
   * @throws ToolException with what is then told to the user
   */
  int run(Console console, List<String> arguments) throws ToolException;

  @SuppressWarnings("SystemConsoleNull") // without a terminal there may be none
  private static boolean isOnTerminal() {
    return System.console() != null && System.console().isTerminal();
  }
}

package org.tinamou.tools.cli;

import java.io.InputStream;
import java.io.PrintStream;

/** A command-line tool that can also be run inside another program. */
public interface Tool {
  /**
   * Runs the tool once, on the calling thread, which must not be in a loop or coroutine.
   *
   * @param program the name the tool goes by in its messages
   * @param arguments the words behind the name
   * @return the exit code
   */
  int run(String program, String[] arguments, InputStream in, PrintStream out, PrintStream err);
}

package org.tinamou.tools.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Connects a tool to the process it is the whole of. */
public final class ToolMain {
  private static final int BUFFER_BYTES = 8192;

  private static volatile String name = "tinamou";

  private ToolMain() {}

  /**
   * Runs the tool on the process's streams and returns its exit code.
   *
   * @param defaultName the tool's name unless the launcher says by which one it was called, in the
   *     system property {@code tinamou.name}
   */
  public static int run(Tool tool, String defaultName, String[] arguments) {
    PrintStream out = stream(FileDescriptor.out, BUFFER_BYTES);
    PrintStream err = stream(FileDescriptor.err, 1);
    Interruptions.own();
    name = System.getProperty("tinamou.name", defaultName);
    String program = name;
    int exitCode;
    try {
      exitCode = tool.run(program, arguments, System.in, out, err);
    } catch (RuntimeException | Error failure) {
      ProgramFailure.tell(new Console(program, System.in, out, err), failure);
      exitCode = ProgramFailure.EXIT_CODE; // whatever thread is left, the process ends with it
    }
    out.flush();
    err.flush();
    return exitCode;
  }

  /** By which name the process was called, for errors that nobody's console takes. */
  public static String programName() {
    return name;
  }

  /** Ends the process at once, whatever it still does. */
  static void halt(int exitCode) {
    Runtime.getRuntime().halt(exitCode);
  }

  private static PrintStream stream(FileDescriptor descriptor, int bufferBytes) {
    FileOutputStream raw = new FileOutputStream(descriptor);
    return new PrintStream(
        new java.io.BufferedOutputStream(raw, bufferBytes), false, StandardCharsets.UTF_8);
  }
}

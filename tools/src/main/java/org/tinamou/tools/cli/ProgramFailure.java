package org.tinamou.tools.cli;

/**
 * What happens when the code of a program itself fails: that is told at once, before anything is
 * closed, since what has failed may keep the rest from coming to an end.
 */
public final class ProgramFailure {
  /** The exit code then. */
  public static final int EXIT_CODE = 1;

  /** As long as an orderly end may take. */
  private static final int MAX_SECONDS = 5;

  /** What a program does until it closes what it has. */
  @FunctionalInterface
  public interface Body {
    /**
     * @return the exit code
     */
    int run() throws ToolException;
  }

  private ProgramFailure() {}

  /**
   * Runs the body and returns its exit code. If it fails, tells of that and returns {@link
   * #EXIT_CODE}; a process that is the tool's then ends within seconds, whatever does not come to
   * an end.
   */
  public static int watch(Console console, Body body) throws ToolException {
    return watch(console, MAX_SECONDS, body);
  }

  static int watch(Console console, int maxSeconds, Body body) throws ToolException {
    try {
      return body.run();
    } catch (RuntimeException | Error failure) {
      tell(console, failure);
      if (Interruptions.ownsProcess()) {
        Thread.ofPlatform().daemon().name("end").start(new HaltWorker(console, maxSeconds));
      }
      return EXIT_CODE;
    }
  }

  /** Says what has failed, and where. */
  static void tell(Console console, Throwable failure) {
    console.error("Internal error: " + failure);
    failure.printStackTrace(console.err());
    console.err().flush();
  }
}

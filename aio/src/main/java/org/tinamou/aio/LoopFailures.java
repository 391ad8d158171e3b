package org.tinamou.aio;

/** Learns of what a callback or coroutine let escape; the loop itself goes on. */
@FunctionalInterface
public interface LoopFailures {
  /** Prints the failure with its source to the standard error stream. */
  LoopFailures PRINT =
      (context, source, failure) -> {
        System.err.println("tinamou: " + context.name() + ": " + source + " failed");
        failure.printStackTrace();
      };

  /**
   * Runs on the home thread.
   *
   * @param source the bottom half, timer, watch or coroutine whose code threw
   */
  void failed(AioContext context, Object source, Throwable failure);
}

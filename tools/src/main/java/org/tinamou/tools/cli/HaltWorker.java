package org.tinamou.tools.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Runs while a program that has failed closes what it has: ends the process if that takes too long.
 *
 * @param console where that is told
 * @param seconds how long it may take
 */
record HaltWorker(Console console, int seconds) implements Runnable {
  @Override
  public void run() {
    try {
      if (new CountDownLatch(1).await(seconds, TimeUnit.SECONDS)) {
        return;
      }
      console.error("not everything came to its end in time");
    } catch (InterruptedException e) {
      console.error("the end of the program was not waited for");
    }
    console.err().flush();
    ToolMain.halt(ProgramFailure.EXIT_CODE);
  }
}

package org.tinamou.tools.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Runs while the process ends: has a command come to its end, and waits for it, but not for ever.
 *
 * @param ended counted down by the command
 * @param stop asks it to end
 * @param giveUp has it wait for nobody, if it does not end otherwise
 */
record EndWorker(CountDownLatch ended, Runnable stop, Runnable giveUp) implements Runnable {
  private static final int PATIENT_SECONDS = 2;
  private static final int MAX_SECONDS = 30;

  @Override
  public void run() {
    if (ended.getCount() == 0) {
      return;
    }
    stop.run();
    try {
      if (!ended.await(PATIENT_SECONDS, TimeUnit.SECONDS)) {
        giveUp.run();
      }
      if (!ended.await(MAX_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("the command did not come to an end in time");
      }
    } catch (InterruptedException e) {
      System.err.println("the end of the command was not waited for");
    }
  }
}

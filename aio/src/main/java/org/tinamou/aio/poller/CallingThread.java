package org.tinamou.aio.poller;

import org.tinamou.aio.Workers;

/** Runs each job at once, on the thread that hands it over. */
final class CallingThread implements Workers {
  @Override
  public void execute(Runnable job) {
    job.run();
  }

  @Override
  public void close() {}
}

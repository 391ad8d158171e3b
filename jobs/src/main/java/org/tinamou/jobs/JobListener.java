package org.tinamou.jobs;

import org.tinamou.aio.HomeThread;

/** Hears of what happens to jobs, on the main loop, in the order in which it happened. */
@FunctionalInterface
public interface JobListener {
  /** Short; never waits. */
  @HomeThread
  void happened(JobEvent event);
}

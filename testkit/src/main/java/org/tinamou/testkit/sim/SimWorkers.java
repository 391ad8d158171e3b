package org.tinamou.testkit.sim;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.aio.Workers;

/** Blocking jobs as actors: each runs in one step, when the scheduler picks it. */
final class SimWorkers implements Workers {
  private final Simulation simulation;
  private final List<Runnable> jobs = new ArrayList<>();

  SimWorkers(Simulation simulation) {
    this.simulation = simulation;
  }

  @Override
  public void execute(Runnable job) {
    jobs.add(job);
  }

  boolean hasJobs() {
    return !jobs.isEmpty();
  }

  void runOne() {
    jobs.remove(simulation.random().nextInt(jobs.size())).run();
  }

  @Override
  public void close() {
    simulation.require(jobs.isEmpty(), "I9", "workers closed with jobs waiting");
  }
}

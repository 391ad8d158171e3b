package org.tinamou.testkit.workload;

import org.tinamou.testkit.scenario.Scenario;
import org.tinamou.testkit.sim.Simulation;

/** The directed scenarios, one for each seed in turn. */
final class ScenarioWorkload implements Workload {
  @Override
  public void run(Simulation simulation) {
    int which = (int) Math.floorMod(simulation.seed(), (long) Scenario.ALL.size());
    Scenario.ALL.get(which).play(simulation);
  }
}

package org.tinamou.testkit.workload;

import org.tinamou.aio.AioContext;
import org.tinamou.base.SeededRandom;
import org.tinamou.testkit.crash.Qcow2Crash;
import org.tinamou.testkit.crash.Qcow2Damage;
import org.tinamou.testkit.sim.Simulation;

/** A bit of a qcow2 image's tables is flipped, and the image is repaired. */
final class Qcow2DamageWorkload implements Workload {
  private static final long MOST_STEPS = 1_000_000;

  @Override
  public void run(Simulation simulation) {
    SeededRandom random = simulation.random().fork();
    AioContext main = simulation.newLoop("main");
    main.spawn("damage", () -> play(simulation, main, random));
    simulation.require(simulation.run(MOST_STEPS), "I9", "still busy");
    simulation.closeLoops();
  }

  private static void play(Simulation simulation, AioContext main, SeededRandom random)
      throws Exception {
    try {
      String outcome = Qcow2Damage.play(main, random);
      simulation.note("damage", outcome, 1);
    } catch (Qcow2Crash.Failure failure) {
      simulation.require(false, "V", String.valueOf(failure.getMessage()));
    }
  }
}

package org.tinamou.testkit.workload;

import org.tinamou.aio.AioContext;
import org.tinamou.base.SeededRandom;
import org.tinamou.testkit.crash.Qcow2Crash;
import org.tinamou.testkit.sim.Simulation;

/** Power cuts in the middle of operations on a qcow2 image, at every point of each sequence. */
final class Qcow2CrashWorkload implements Workload {
  private static final long MOST_STEPS = 10_000_000;

  private final boolean more;

  /**
   * All seeds.
   *
   * @param more with all operations and kinds of images, not those only that came first
   */
  Qcow2CrashWorkload(boolean more) {
    this.more = more;
  }

  @Override
  public void run(Simulation simulation) {
    SeededRandom random = simulation.random().fork();
    AioContext main = simulation.newLoop("main");
    main.spawn("crash", () -> play(simulation, main, random));
    simulation.require(simulation.run(MOST_STEPS), "I9", "still busy");
    simulation.closeLoops();
  }

  private void play(Simulation simulation, AioContext main, SeededRandom random) throws Exception {
    try {
      Qcow2Crash.Observer away = Qcow2Crash.Observer.NONE;
      int states =
          more
              ? Qcow2Crash.playMore(main, simulation.seed(), random, away)
              : Qcow2Crash.play(main, simulation.seed(), random, away);
      simulation.note("crash", "states", states);
    } catch (Qcow2Crash.Failure failure) {
      simulation.require(false, "I11", String.valueOf(failure.getMessage()));
    }
  }
}

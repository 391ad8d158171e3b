package org.tinamou.testkit.workload;

import org.tinamou.aio.AioContext;
import org.tinamou.base.SeededRandom;
import org.tinamou.testkit.crash.LuksCrash;
import org.tinamou.testkit.crash.Qcow2Crash;
import org.tinamou.testkit.crash.ToolCrash;
import org.tinamou.testkit.sim.Simulation;

/**
 * Power cuts in the middle of operations on a qcow2 image or an encrypted volume, at every point of
 * each sequence.
 */
final class Qcow2CrashWorkload implements Workload {
  private static final long MOST_STEPS = 10_000_000;

  /** Plays one seed and says how many states it has judged. */
  @FunctionalInterface
  interface Play {
    int run(AioContext main, long seed, SeededRandom random) throws Exception;
  }

  private final Play play;

  Qcow2CrashWorkload(Play play) {
    this.play = play;
  }

  /** The operations that came first. */
  static Qcow2CrashWorkload ofGuests() {
    return new Qcow2CrashWorkload(
        (main, seed, random) -> Qcow2Crash.play(main, seed, random, Qcow2Crash.Observer.NONE));
  }

  /** More operations, mostly on images of which parts of clusters are told apart. */
  static Qcow2CrashWorkload ofMore() {
    return new Qcow2CrashWorkload(
        (main, seed, random) -> Qcow2Crash.playMore(main, seed, random, Qcow2Crash.Observer.NONE));
  }

  /** What tools do, on all kinds of images. */
  static Qcow2CrashWorkload ofTools() {
    return new Qcow2CrashWorkload(
        (main, seed, random) -> ToolCrash.play(main, seed, random, ToolCrash.Observer.NONE));
  }

  /** What a tool does to the key slots of a volume. */
  static Qcow2CrashWorkload ofKeySlots() {
    return new Qcow2CrashWorkload(LuksCrash::play);
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
      simulation.note("crash", "states", play.run(main, simulation.seed(), random));
    } catch (Qcow2Crash.Failure failure) {
      simulation.require(false, "I11", String.valueOf(failure.getMessage()));
    }
  }
}

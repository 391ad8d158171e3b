package org.tinamou.testkit.sim;

import org.tinamou.aio.Poller;
import org.tinamou.base.SeededRandom;

/** Stops and starts VIRTUAL and sets HOST, now and then, between two steps of a simulation. */
final class ClockFaults {
  private static final int MEAN_STEPS = 150;
  private static final long LONGEST_STOP_NANOS = 5_000_000_000L;
  private static final long FARTHEST_JUMP_NANOS = 30_000_000_000L;

  private final Simulation simulation;
  private final SeededRandom random;
  private int stopsLeft;
  private int jumpsLeft;
  private long goesOnNanos = Poller.FOREVER;

  ClockFaults(Simulation simulation, SeededRandom random) {
    this.simulation = simulation;
    this.random = random;
  }

  void start(SimFaults faults) {
    stopsLeft = faults.virtualStops();
    jumpsLeft = faults.hostJumps();
  }

  /** No more of it, and VIRTUAL runs. */
  void end() {
    stopsLeft = 0;
    jumpsLeft = 0;
    goOn();
  }

  /** Between two steps. */
  void step() {
    if (goesOnNanos <= simulation.nowNanos()) {
      goOn();
    }
    if (stopsLeft > 0 && goesOnNanos == Poller.FOREVER && random.chance(1, MEAN_STEPS)) {
      stopsLeft--;
      goesOnNanos = simulation.nowNanos() + random.nextLong(LONGEST_STOP_NANOS);
      simulation.note("clock", "virtual stops", goesOnNanos);
      simulation.clocks().setVirtualRunning(false);
    }
    if (jumpsLeft > 0 && random.chance(1, MEAN_STEPS)) {
      jumpsLeft--;
      long nanos = random.nextLong(2 * FARTHEST_JUMP_NANOS) - FARTHEST_JUMP_NANOS;
      simulation.note("clock", "host jumps", nanos);
      simulation.clocks().jumpHost(nanos);
    }
  }

  private void goOn() {
    if (goesOnNanos != Poller.FOREVER) {
      goesOnNanos = Poller.FOREVER;
      simulation.note("clock", "virtual goes on", simulation.nowNanos());
      simulation.clocks().setVirtualRunning(true);
    }
  }

  /** When VIRTUAL goes on; {@link Poller#FOREVER} while it runs. */
  long nextEventNanos() {
    return goesOnNanos;
  }
}

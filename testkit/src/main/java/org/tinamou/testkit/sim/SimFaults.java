package org.tinamou.testkit.sim;

import org.tinamou.base.SeededRandom;

/**
 * Faults of the host that a workload has to ask for ({@link Simulation#startFaults}), because they
 * move time and refuse what callers may rely on otherwise. Each class is absent from half of the
 * seeds; 0 means absent.
 *
 * @param lateTimerPercent waits for a timer that last up to 20 ms too long
 * @param virtualStops how many times VIRTUAL stops, for up to 5 s of REALTIME
 * @param hostJumps how many times the wall clock is set, up to 30 s forward or back
 * @param diskHangs how many times the disk does nothing for up to 20 s, and then goes on
 * @param descriptorLimit how many descriptors can be open at once; 0 for no limit
 * @param spuriousReadyPercent polls that report a watched descriptor that is not ready
 * @param cancelPercent requests that a workload gives up
 */
public record SimFaults(
    int lateTimerPercent,
    int virtualStops,
    int hostJumps,
    int diskHangs,
    int descriptorLimit,
    int spuriousReadyPercent,
    int cancelPercent) {

  /** Nothing of all that. */
  public static final SimFaults NONE = new SimFaults(0, 0, 0, 0, 0, 0, 0);

  private static final int FEWEST_DESCRIPTORS = 3;

  static SimFaults draw(SeededRandom random) {
    return new SimFaults(
        rate(random, 50),
        rate(random, 3),
        rate(random, 3),
        rate(random, 2),
        random.nextBoolean() ? 0 : FEWEST_DESCRIPTORS + random.nextInt(6),
        rate(random, 20),
        rate(random, 30));
  }

  private static int rate(SeededRandom random, int most) {
    return random.nextBoolean() ? 0 : 1 + random.nextInt(most);
  }
}

package org.tinamou.testkit.sim;

import org.tinamou.base.SeededRandom;

/**
 * What one seed switches on, drawn so that each class of fault is absent from half of the seeds.
 *
 * @param policy who runs next
 * @param loops how many loops there are
 * @param shuffleBottomHalves whether bottom halves of one turn run in random order
 * @param yieldPercent how often a coroutine yields at a yield point
 * @param lateWakeups whether wake-ups arrive late
 * @param busyPolling whether loops look for work before they wait
 * @param readErrorPermille failing reads
 * @param writeErrorPermille failing writes
 * @param flushErrorPermille failing flushes, after which the unflushed data may be lost
 * @param shortTransferPercent transfers of fewer bytes than asked
 * @param slowPercent requests that take up to a second
 * @param faults what happens only to workloads that ask for it
 */
public record SimConfig(
    SchedulingPolicy.Kind policy,
    int loops,
    boolean shuffleBottomHalves,
    int yieldPercent,
    boolean lateWakeups,
    boolean busyPolling,
    int readErrorPermille,
    int writeErrorPermille,
    int flushErrorPermille,
    int shortTransferPercent,
    int slowPercent,
    SimFaults faults) {

  /** One loop, no faults, nothing in an odd order. */
  public static final SimConfig PLAIN =
      new SimConfig(
          SchedulingPolicy.Kind.ROUND_ROBIN,
          1,
          false,
          0,
          false,
          false,
          0,
          0,
          0,
          0,
          0,
          SimFaults.NONE);

  /** The same with other faults. */
  public SimConfig with(SimFaults others) {
    return new SimConfig(
        policy,
        loops,
        shuffleBottomHalves,
        yieldPercent,
        lateWakeups,
        busyPolling,
        readErrorPermille,
        writeErrorPermille,
        flushErrorPermille,
        shortTransferPercent,
        slowPercent,
        others);
  }

  /** The configuration of a seed. */
  public static SimConfig draw(SeededRandom random) {
    SchedulingPolicy.Kind[] kinds = SchedulingPolicy.Kind.values();
    return new SimConfig(
        kinds[random.nextInt(kinds.length)],
        1 + random.nextInt(4),
        random.nextBoolean(),
        rate(random, 30),
        random.nextBoolean(),
        random.chance(1, 4),
        rate(random, 20),
        rate(random, 20),
        rate(random, 50),
        rate(random, 30),
        rate(random, 10),
        SimFaults.draw(random));
  }

  private static int rate(SeededRandom random, int most) {
    return random.nextBoolean() ? 0 : 1 + random.nextInt(most);
  }
}

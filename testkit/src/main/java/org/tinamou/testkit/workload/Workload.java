package org.tinamou.testkit.workload;

import org.tinamou.testkit.sim.Simulation;
import org.tinamou.testkit.sim.Violation;

/** A program for one simulation; made anew for every seed. */
public interface Workload {
  /** The workloads there are. */
  enum Kind {
    /** Everything a loop offers, without I/O. */
    LOOPS,
    /** Files under faults and power cuts. */
    DISK,
    /** Block nodes that are drained, replaced and moved while requests run. */
    GRAPH,
    /** The directed scenarios of the catalogue. */
    SCENARIOS,
    /** A node with work queued that goes from loop to loop. */
    TOUCHSTONE,
    /** An NBD client and a server whose connections are cut. */
    NBD,
    /** Readers of a disk as it was, while it is written to. */
    FLEECING,
    /** A daemon that is told what to do while clients use its exports. */
    DAEMON,
    /** Backups of a disk while it is used. */
    BACKUP,
    /** All kinds of jobs on disks that are used, drained, moved and changed. */
    JOBS,
    /** A qcow2 image that loses power in the middle of operations. */
    QCOW2_CRASH,
    /** The same with more operations, and on images of which parts of clusters are told apart. */
    QCOW2_CRASH_MORE,
    /** What tools do to images of all kinds, in all their files. */
    QCOW2_CRASH_TOOLS,
    /** Changes of the key slots of an encrypted volume that loses power. */
    LUKS_CRASH,
    /** A qcow2 image with a flipped bit that is repaired. */
    QCOW2_DAMAGE;

    Workload create() {
      return switch (this) {
        case LOOPS -> new LoopsWorkload();
        case DISK -> new DiskWorkload();
        case GRAPH -> new GraphWorkload();
        case SCENARIOS -> new ScenarioWorkload();
        case TOUCHSTONE -> new TouchstoneWorkload();
        case NBD -> new NbdWorkload();
        case FLEECING -> new FleecingWorkload();
        case DAEMON -> new DaemonWorkload();
        case BACKUP -> new BackupWorkload();
        case JOBS -> new JobsWorkload();
        case QCOW2_CRASH -> Qcow2CrashWorkload.ofGuests();
        case QCOW2_CRASH_MORE -> Qcow2CrashWorkload.ofMore();
        case QCOW2_CRASH_TOOLS -> Qcow2CrashWorkload.ofTools();
        case LUKS_CRASH -> Qcow2CrashWorkload.ofKeySlots();
        case QCOW2_DAMAGE -> new Qcow2DamageWorkload();
      };
    }
  }

  /** Steps in which faults happen; then everything must end within as many more. */
  long FAULTY_STEPS = 100_000;

  /** How long everything may take to end once there are no more faults. */
  long LIVELY_NANOS = 60_000_000_000L;

  /**
   * Builds its loops, runs them to the end and checks what must hold then.
   *
   * @throws Violation for an invariant that did not hold
   */
  void run(Simulation simulation);

  /** Runs with faults for a while, then without, until everything has come to rest. */
  static void runToRest(Simulation simulation) {
    simulation.startFaults();
    boolean toTheEnd = simulation.random().nextBoolean();
    long faultySteps = toTheEnd ? FAULTY_STEPS : simulation.random().nextInt(2000);
    if (!simulation.run(faultySteps)) {
      simulation.calmDown();
      long calmSinceNanos = simulation.nowNanos();
      simulation.require(
          simulation.run(FAULTY_STEPS), "I9", "still busy long after the last fault");
      simulation.require(
          simulation.nowNanos() - calmSinceNanos <= LIVELY_NANOS,
          "I9",
          "took too long after the last fault");
    }
    simulation.checkAtRest();
  }
}

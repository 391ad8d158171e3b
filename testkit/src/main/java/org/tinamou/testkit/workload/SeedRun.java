package org.tinamou.testkit.workload;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.testkit.sim.Disturbance;
import org.tinamou.testkit.sim.Simulation;
import org.tinamou.testkit.sim.Violation;

/**
 * What one seed did.
 *
 * @param hash the same for every run of the seed
 * @param steps how many steps were taken
 * @param violation the first invariant that did not hold, or null
 * @param recentEvents the last events before the end, if they were asked for
 */
public record SeedRun(
    Workload.Kind kind,
    long seed,
    long hash,
    long steps,
    @Nullable Violation violation,
    List<String> recentEvents) {

  private static final int MAX_DISTURBANCES = 20;

  /** Runs one seed on the calling thread; again if the JVM got in between. */
  public static SeedRun of(Workload.Kind kind, long seed, boolean remember) {
    for (int disturbances = 0; ; disturbances++) {
      Simulation simulation = new Simulation(seed, remember);
      Violation violation = null;
      try {
        kind.create().run(simulation);
      } catch (Disturbance again) {
        if (disturbances < MAX_DISTURBANCES) {
          continue;
        }
        violation = new Violation("I24", "coroutines block in monitors", again);
      } catch (Violation found) {
        violation = found;
      } catch (RuntimeException | Error found) {
        violation = new Violation("escaped", "the workload failed", found);
      }
      return new SeedRun(
          kind, seed, simulation.hash(), simulation.steps(), violation, simulation.recentEvents());
    }
  }

  /** Runs one seed twice: a run that differs from itself is a violation too. */
  public static SeedRun twice(Workload.Kind kind, long seed) {
    SeedRun first = of(kind, seed, false);
    if (first.violation != null) {
      return first;
    }
    SeedRun second = of(kind, seed, false);
    if (first.hash == second.hash && second.violation == null) {
      return first;
    }
    return new SeedRun(
        kind,
        seed,
        first.hash,
        first.steps,
        new Violation("I24", "the same seed ran differently the second time"),
        List.of());
  }
}

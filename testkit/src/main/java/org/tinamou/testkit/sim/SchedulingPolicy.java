package org.tinamou.testkit.sim;

import java.util.Arrays;
import java.util.List;
import org.tinamou.base.SeededRandom;

/** Picks who takes the next step. */
public interface SchedulingPolicy {
  /** The kinds there are. */
  enum Kind {
    /** Anybody, evenly. */
    RANDOM,
    /** Always the actor of highest priority; priorities change at a few random points. */
    PCT,
    /** Everybody in turn. */
    ROUND_ROBIN
  }

  /**
   * Chooses one of the actors that can take a step.
   *
   * @param runnable the ids of the actors that can take a step, ascending, never empty
   * @return an index into {@code runnable}
   */
  int pick(List<Integer> runnable);

  static SchedulingPolicy of(Kind kind, SeededRandom random) {
    return switch (kind) {
      case RANDOM -> runnable -> random.nextInt(runnable.size());
      case PCT -> new Pct(random);
      case ROUND_ROBIN -> new RoundRobin();
    };
  }

  /** Takes the next id after the last one. */
  final class RoundRobin implements SchedulingPolicy {
    private int last = -1;

    @Override
    public int pick(List<Integer> runnable) {
      int index = 0;
      while (index < runnable.size() && runnable.get(index) <= last) {
        index++;
      }
      index %= runnable.size();
      last = runnable.get(index);
      return index;
    }
  }

  /** Probabilistic concurrency testing: few, well-placed preemptions find most bugs. */
  final class Pct implements SchedulingPolicy {
    private static final int MAX_ACTORS = 64;
    private static final int MEAN_STEPS_BETWEEN_CHANGES = 200;

    private final SeededRandom random;
    private final long[] priorities = new long[MAX_ACTORS];
    private long lowest = -1;

    Pct(SeededRandom random) {
      this.random = random;
      Arrays.setAll(priorities, i -> random.nextLong(1L << 40));
    }

    @Override
    public int pick(List<Integer> runnable) {
      int best = 0;
      for (int i = 1; i < runnable.size(); i++) {
        if (priority(runnable.get(i)) > priority(runnable.get(best))) {
          best = i;
        }
      }
      if (random.chance(1, MEAN_STEPS_BETWEEN_CHANGES)) {
        priorities[runnable.get(best) % MAX_ACTORS] = lowest--;
      }
      return best;
    }

    private long priority(int actor) {
      return priorities[actor % MAX_ACTORS];
    }
  }
}

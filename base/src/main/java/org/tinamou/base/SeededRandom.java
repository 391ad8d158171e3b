package org.tinamou.base;

/**
 * A small deterministic generator (SplitMix64): the same seed gives the same numbers on every JVM.
 * Not thread-safe: one owner.
 */
public final class SeededRandom {
  private long state;

  public SeededRandom(long seed) {
    this.state = seed;
  }

  public long nextLong() {
    state += 0x9E3779B97F4A7C15L;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** A number in {@code [0, bound)}. */
  public int nextInt(int bound) {
    Check.argument(bound > 0, "bound must be positive: %s", bound);
    return (int) ((nextLong() >>> 33) % bound);
  }

  /** A number in {@code [0, bound)}. */
  public long nextLong(long bound) {
    Check.argument(bound > 0, "bound must be positive: %s", bound);
    return (nextLong() >>> 1) % bound;
  }

  /** True with probability {@code numerator / denominator}. */
  public boolean chance(int numerator, int denominator) {
    return nextInt(denominator) < numerator;
  }

  public boolean nextBoolean() {
    return (nextLong() & 1) != 0;
  }

  /** An independent generator drawn from this one, so that two users do not disturb each other. */
  public SeededRandom fork() {
    return new SeededRandom(nextLong());
  }
}

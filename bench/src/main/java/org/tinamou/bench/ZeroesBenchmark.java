package org.tinamou.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.tinamou.base.Zeroes;

/** How long it takes to see that a cluster holds only zeroes; a copying tool asks it of each. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ZeroesBenchmark {
  private static final long CLUSTER_BYTES = 64 << 10;

  private final MemorySegment zeroes = Arena.ofAuto().allocate(CLUSTER_BYTES);

  @Benchmark
  public boolean zeroCluster() {
    return Zeroes.isZero(zeroes);
  }
}

package org.tinamou.jcstress.bugs;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Ways to leave a table of requests and miss who waits for the end. */
public final class RemovalBugs {
  private RemovalBugs() {}

  /** The removal is not ordered before the look at the flag. */
  @JCStressTest
  @Outcome(
      id = {"1, 1", "1, 0", "0, 0"},
      expect = Expect.ACCEPTABLE,
      desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "seen, and does not know that somebody waits")
  @State
  public static class ReleasedOnly {
    private final AtomicReferenceArray<@Nullable Object> slots = new AtomicReferenceArray<>(1);
    private volatile boolean flag;

    public ReleasedOnly() {
      slots.set(0, this);
    }

    @Actor
    public void removes(II_Result result) {
      slots.setRelease(0, null);
      result.r1 = flag ? 1 : 0;
    }

    @Actor
    public void flags(II_Result result) {
      flag = true;
      result.r2 = slots.get(0) == null ? 0 : 1;
    }
  }
}

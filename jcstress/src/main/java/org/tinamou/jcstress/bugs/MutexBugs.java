package org.tinamou.jcstress.bugs;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** Ways to forget who waits for a mutex. */
public final class MutexBugs {
  private MutexBugs() {}

  /** A waiter joins the queue without looking whether the mutex was freed meanwhile. */
  @JCStressTest
  @Outcome(id = "2", expect = Expect.ACCEPTABLE, desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "a waiter of a free mutex waits for ever")
  @State
  public static class LostWaiter {
    private final AtomicBoolean held = new AtomicBoolean();
    private final ConcurrentLinkedQueue<Object> waiters = new ConcurrentLinkedQueue<>();
    private int entries;

    private void use() {
      if (!held.compareAndSet(false, true)) {
        waiters.add(this);
        return;
      }
      do {
        entries++;
      } while (waiters.poll() != null);
      held.set(false);
    }

    @Actor
    public void one() {
      use();
    }

    @Actor
    public void two() {
      use();
    }

    @Arbiter
    public void last(I_Result result) {
      result.r1 = entries;
    }
  }
}

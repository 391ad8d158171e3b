package org.tinamou.aio;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * A mutex between threads: nobody is inside beside another, and no waiter is forgotten. Whoever
 * releases the mutex to a waiter does the waiter's work at once.
 */
public final class MutexWordStress {
  private MutexWordStress() {}

  /** What the mutex guards. */
  private static final class Guarded {
    private final MutexWord<Guarded> word = new MutexWord<>();
    private int inside;
    private int entries;
    private int collisions;

    void use() {
      if (!word.tryAcquire() && !word.acquireOrQueue(this)) {
        return;
      }
      Guarded next;
      do {
        collisions += inside++;
        entries++;
        inside--;
        next = word.release();
      } while (next != null);
    }
  }

  /** Two contenders. */
  @JCStressTest
  @Outcome(id = "2, 0, 1", expect = Expect.ACCEPTABLE, desc = "one after the other, then free")
  @Outcome(expect = Expect.FORBIDDEN, desc = "a collision, a lost waiter or a mutex never freed")
  @State
  public static class TwoContenders {
    private final Guarded guarded = new Guarded();

    @Actor
    public void one() {
      guarded.use();
    }

    @Actor
    public void two() {
      guarded.use();
    }

    @Arbiter
    public void last(III_Result result) {
      result.r1 = guarded.entries;
      result.r2 = guarded.collisions;
      result.r3 = guarded.word.tryAcquire() ? 1 : 0;
    }
  }

  /** Three contenders. */
  @JCStressTest
  @Outcome(id = "3, 0, 1", expect = Expect.ACCEPTABLE, desc = "one after the other, then free")
  @Outcome(expect = Expect.FORBIDDEN, desc = "a collision, a lost waiter or a mutex never freed")
  @State
  public static class ThreeContenders {
    private final Guarded guarded = new Guarded();

    @Actor
    public void one() {
      guarded.use();
    }

    @Actor
    public void two() {
      guarded.use();
    }

    @Actor
    public void three() {
      guarded.use();
    }

    @Arbiter
    public void last(III_Result result) {
      result.r1 = guarded.entries;
      result.r2 = guarded.collisions;
      result.r3 = guarded.word.tryAcquire() ? 1 : 0;
    }
  }

  /** One who does not wait, and one who does. */
  @JCStressTest
  @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "the try came at a bad moment")
  @Outcome(id = "2, 1", expect = Expect.ACCEPTABLE, desc = "both got in")
  @Outcome(expect = Expect.FORBIDDEN, desc = "a lost waiter or a mutex never freed")
  @State
  public static class TryAndWait {
    private final Guarded guarded = new Guarded();

    @Actor
    public void tries() {
      MutexWord<Guarded> word = guarded.word;
      if (word.tryAcquire()) {
        guarded.entries++;
        while (word.release() != null) {
          guarded.entries++;
        }
      }
    }

    @Actor
    public void waits() {
      guarded.use();
    }

    @Arbiter
    public void last(II_Result result) {
      result.r1 = guarded.entries;
      result.r2 = guarded.word.tryAcquire() ? 1 : 0;
    }
  }
}

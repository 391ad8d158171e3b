package org.tinamou.aio;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** Bottom halves scheduled and cancelled by other threads while their loop turns. */
public final class BottomHalfStress {
  private BottomHalfStress() {}

  /** Scheduled once. */
  @JCStressTest
  @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "ran once and saw what was written")
  @Outcome(expect = Expect.FORBIDDEN, desc = "lost, ran twice, or saw too little")
  @State
  public static class OneScheduler {
    private final StressLoop loop = new StressLoop();
    private final BottomHalf bottomHalf = loop.context.bottomHalf("b", this::called);
    private int written;
    private int runs;
    private int seen;

    private void called() {
      runs++;
      seen = written;
    }

    @Actor
    public void scheduler() {
      written = 1;
      bottomHalf.schedule();
    }

    @Actor
    public void loop() {
      loop.turn();
    }

    @Arbiter
    public void last(II_Result result) {
      loop.turn();
      result.r1 = runs;
      result.r2 = seen;
    }
  }

  /** Two threads schedule the same one: once for both or once for each, and nothing is missed. */
  @JCStressTest
  @Outcome(id = "1, 2", expect = Expect.ACCEPTABLE, desc = "once for both")
  @Outcome(id = "2, 2", expect = Expect.ACCEPTABLE, desc = "once for each")
  @Outcome(expect = Expect.FORBIDDEN, desc = "the last run missed what was written before")
  @State
  public static class TwoSchedulers {
    private final StressLoop loop = new StressLoop();
    private final BottomHalf bottomHalf = loop.context.bottomHalf("b", this::called);
    private int one;
    private int two;
    private int runs;
    private int seen;

    private void called() {
      runs++;
      seen = one + two;
    }

    @Actor
    public void scheduler1() {
      one = 1;
      bottomHalf.schedule();
    }

    @Actor
    public void scheduler2() {
      two = 1;
      bottomHalf.schedule();
    }

    @Actor
    public void loop() {
      loop.turn();
    }

    @Arbiter
    public void last(II_Result result) {
      loop.turn();
      result.r1 = runs;
      result.r2 = seen;
    }
  }

  /** Scheduled by one and cancelled by another: it either runs or is cancelled. */
  @JCStressTest
  @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "cancelled")
  @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "ran")
  @Outcome(expect = Expect.FORBIDDEN, desc = "both or neither")
  @State
  public static class Cancelled {
    private final StressLoop loop = new StressLoop();
    private final BottomHalf bottomHalf = loop.context.bottomHalf("b", this::called);
    private int runs;

    private void called() {
      runs++;
    }

    @Actor
    public void scheduler() {
      bottomHalf.schedule();
    }

    @Actor
    public void canceller(II_Result result) {
      result.r1 = bottomHalf.cancel() ? 1 : 0;
    }

    @Actor
    public void loop() {
      loop.turn();
    }

    @Arbiter
    public void last(II_Result result) {
      loop.turn();
      result.r2 = runs;
    }
  }

  /** Schedules itself from its own callback while another thread schedules it too. */
  @JCStressTest
  @Outcome(id = "2, 1", expect = Expect.ACCEPTABLE, desc = "once for both")
  @Outcome(id = "3, 1", expect = Expect.ACCEPTABLE, desc = "once for each")
  @Outcome(expect = Expect.FORBIDDEN, desc = "one was lost")
  @State
  public static class Rescheduled {
    private final StressLoop loop = new StressLoop();
    private final BottomHalf bottomHalf = loop.context.bottomHalf("b", this::called);
    private int written;
    private int runs;
    private int seen;

    public Rescheduled() {
      bottomHalf.schedule();
    }

    private void called() {
      seen = written;
      if (++runs == 1) {
        bottomHalf.schedule();
      }
    }

    @Actor
    public void scheduler() {
      written = 1;
      bottomHalf.schedule();
    }

    @Actor
    public void loop() {
      loop.turn();
    }

    @Arbiter
    public void last(II_Result result) {
      loop.turn();
      loop.turn();
      result.r1 = runs;
      result.r2 = seen;
    }
  }

  /** The first of two is scheduled anew while the loop runs both (A2): the second is not lost. */
  @JCStressTest
  @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "scheduled while it was pending")
  @Outcome(id = "2, 1", expect = Expect.ACCEPTABLE, desc = "ran again")
  @Outcome(expect = Expect.FORBIDDEN, desc = "the chain broke")
  @State
  public static class Neighbours {
    private final StressLoop loop = new StressLoop();
    private final BottomHalf first = loop.context.bottomHalf("1", this::firstCalled);
    private final BottomHalf second = loop.context.bottomHalf("2", this::secondCalled);
    private int firstRuns;
    private int secondRuns;

    public Neighbours() {
      first.schedule();
      second.schedule();
    }

    private void firstCalled() {
      firstRuns++;
    }

    private void secondCalled() {
      secondRuns++;
    }

    @Actor
    public void scheduler() {
      first.schedule();
    }

    @Actor
    public void loop() {
      loop.turn();
    }

    @Arbiter
    public void last(II_Result result) {
      loop.turn();
      result.r1 = firstRuns;
      result.r2 = secondRuns;
    }
  }
}

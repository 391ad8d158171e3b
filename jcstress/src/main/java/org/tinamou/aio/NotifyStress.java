package org.tinamou.aio;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;

/** A loop that goes to sleep while others queue work (A6, S1): it sees the work, or is woken. */
public final class NotifyStress {
  private NotifyStress() {}

  private static BottomHalf work(StressLoop loop) {
    return loop.context.bottomHalf("work", () -> {});
  }

  /** One waker. */
  @JCStressTest
  @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "saw the work before it slept")
  @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "saw the work, and is woken as well")
  @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "slept, and is woken")
  @Outcome(expect = Expect.FORBIDDEN, desc = "sleeps for ever with work queued")
  @State
  public static class OneWaker {
    private static final StressLoop LOOP = new StressLoop();

    private final SleepGate gate = new SleepGate();
    private final TaskQueue queue = new TaskQueue();
    private final BottomHalf work = work(LOOP);

    @Actor
    public void waker(II_Result result) {
      queue.push(work);
      result.r1 = gate.mustWake() ? 1 : 0;
    }

    @Actor
    public void sleeper(II_Result result) {
      gate.announceSleep();
      result.r2 = queue.isEmpty() ? 1 : 0;
    }
  }

  /** Two wakers: just one of them pays. */
  @JCStressTest
  @Outcome(id = "0, 0, 0", expect = Expect.ACCEPTABLE, desc = "saw the work before it slept")
  @Outcome(
      id = {"1, 0, 0", "0, 1, 0"},
      expect = Expect.ACCEPTABLE,
      desc = "saw the work, and is woken as well")
  @Outcome(
      id = {"1, 0, 1", "0, 1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "slept, and is woken")
  @Outcome(expect = Expect.FORBIDDEN, desc = "woken twice, or sleeps for ever")
  @State
  public static class TwoWakers {
    private static final StressLoop LOOP = new StressLoop();

    private final SleepGate gate = new SleepGate();
    private final TaskQueue queue = new TaskQueue();
    private final BottomHalf one = work(LOOP);
    private final BottomHalf two = work(LOOP);

    @Actor
    public void waker1(III_Result result) {
      queue.push(one);
      result.r1 = gate.mustWake() ? 1 : 0;
    }

    @Actor
    public void waker2(III_Result result) {
      queue.push(two);
      result.r2 = gate.mustWake() ? 1 : 0;
    }

    @Actor
    public void sleeper(III_Result result) {
      gate.announceSleep();
      result.r3 = queue.isEmpty() ? 1 : 0;
    }
  }

  /** A waker that is late with its first call does not disturb the next sleep (A5). */
  @JCStressTest
  @Outcome(id = "0, 0", expect = Expect.ACCEPTABLE, desc = "saw the work before it slept again")
  @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "saw the work, and is woken as well")
  @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "slept again, and is woken")
  @Outcome(expect = Expect.FORBIDDEN, desc = "sleeps for ever with work queued")
  @State
  public static class LateWaker {
    private static final StressLoop LOOP = new StressLoop();

    private final SleepGate gate = new SleepGate();
    private final TaskQueue queue = new TaskQueue();
    private final BottomHalf work = work(LOOP);

    public LateWaker() {
      gate.announceSleep();
      gate.mustWake();
    }

    @Actor
    public void lateWaker(II_Result result) {
      gate.wakeDelivered();
      queue.push(work);
      result.r1 = gate.mustWake() ? 1 : 0;
    }

    @Actor
    public void sleeper(II_Result result) {
      gate.awake();
      gate.announceSleep();
      result.r2 = queue.isEmpty() ? 1 : 0;
    }
  }

  /** A task is queued while the queue is closed: it is refused, or the closing is. */
  @JCStressTest
  @Outcome(id = "1, 0", expect = Expect.ACCEPTABLE, desc = "queued; the queue stays open")
  @Outcome(id = "0, 1", expect = Expect.ACCEPTABLE, desc = "refused; the queue is closed")
  @Outcome(expect = Expect.FORBIDDEN, desc = "accepted by a closed queue, or neither")
  @State
  public static class Closing {
    private static final StressLoop LOOP = new StressLoop();

    private final TaskQueue queue = new TaskQueue();
    private final BottomHalf work = work(LOOP);

    @Actor
    public void push(II_Result result) {
      result.r1 = queue.push(work) ? 1 : 0;
    }

    @Actor
    public void close(II_Result result) {
      result.r2 = queue.close() ? 1 : 0;
    }
  }
}

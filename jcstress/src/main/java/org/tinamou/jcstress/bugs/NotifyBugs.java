package org.tinamou.jcstress.bugs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * Ways to lose a wake-up (A6). First result: whether the waker wakes; second: whether the sleeper
 * sleeps.
 */
public final class NotifyBugs {
  private static final VarHandle WORK;
  private static final VarHandle ASLEEP;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      WORK = lookup.findVarHandle(Flags.class, "work", int.class);
      ASLEEP = lookup.findVarHandle(Flags.class, "asleep", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private NotifyBugs() {}

  /** What waker and sleeper share. */
  public static class Flags {
    int work;
    int asleep;
  }

  /** No ordering at all. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 0", "1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "sleeps for ever with work queued")
  @State
  public static class PlainFlags extends Flags {
    @Actor
    public void waker(II_Result result) {
      work = 1;
      result.r1 = asleep;
    }

    @Actor
    public void sleeper(II_Result result) {
      asleep = 1;
      result.r2 = 1 - work;
    }
  }

  /** Ordered for the compiler only. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 0", "1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "sleeps for ever with work queued")
  @State
  public static class OpaqueFlags extends Flags {
    @Actor
    public void waker(II_Result result) {
      WORK.setOpaque((Flags) this, 1);
      result.r1 = (int) ASLEEP.getOpaque((Flags) this);
    }

    @Actor
    public void sleeper(II_Result result) {
      ASLEEP.setOpaque((Flags) this, 1);
      result.r2 = 1 - (int) WORK.getOpaque((Flags) this);
    }
  }

  /** Release and acquire order everything but a write before a read. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 0", "1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "sleeps for ever with work queued")
  @State
  public static class ReleasedFlags extends Flags {
    @Actor
    public void waker(II_Result result) {
      WORK.setRelease((Flags) this, 1);
      result.r1 = (int) ASLEEP.getAcquire((Flags) this);
    }

    @Actor
    public void sleeper(II_Result result) {
      ASLEEP.setRelease((Flags) this, 1);
      result.r2 = 1 - (int) WORK.getAcquire((Flags) this);
    }
  }

  /** The fence stands on one side only. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 0", "1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "sleeps for ever with work queued")
  @State
  public static class OneFence extends Flags {
    @Actor
    public void waker(II_Result result) {
      WORK.setRelease((Flags) this, 1);
      result.r1 = (int) ASLEEP.getAcquire((Flags) this);
    }

    @Actor
    public void sleeper(II_Result result) {
      ASLEEP.setVolatile((Flags) this, 1);
      result.r2 = 1 - (int) WORK.getVolatile((Flags) this);
    }
  }

  /** The sleeper looks for work before it announces itself, and not again. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 0", "1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "sleeps for ever with work queued")
  @State
  public static class NoRecheck extends Flags {
    @Actor
    public void waker(II_Result result) {
      WORK.setVolatile((Flags) this, 1);
      result.r1 = (int) ASLEEP.getVolatile((Flags) this);
    }

    @Actor
    public void sleeper(II_Result result) {
      result.r2 = 1 - (int) WORK.getVolatile((Flags) this);
      ASLEEP.setVolatile((Flags) this, 1);
    }
  }

  /** The waker looks whether anybody sleeps before it queues the work. */
  @JCStressTest
  @Outcome(
      id = {"0, 0", "1, 0", "1, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "sleeps for ever with work queued")
  @State
  public static class WakeBeforePush extends Flags {
    @Actor
    public void waker(II_Result result) {
      result.r1 = (int) ASLEEP.getVolatile((Flags) this);
      WORK.setVolatile((Flags) this, 1);
    }

    @Actor
    public void sleeper(II_Result result) {
      ASLEEP.setVolatile((Flags) this, 1);
      result.r2 = 1 - (int) WORK.getVolatile((Flags) this);
    }
  }
}

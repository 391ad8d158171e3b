package org.tinamou.block;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/** What is added or removed cannot be missed by whoever changes a flag first and looks then. */
public final class SlotTableStress {
  private SlotTableStress() {}

  private static final class Shown extends SlotTable.Item {}

  private static boolean isEmpty(SlotTable<Shown> table) {
    return table.find(item -> true) == null;
  }

  /** One adds and then looks at the flag; the other raises it and then looks at the table. */
  @JCStressTest
  @Outcome(
      id = {"1, 1", "1, 0", "0, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "at least one sees the other")
  @Outcome(expect = Expect.FORBIDDEN, desc = "neither sees the other")
  @State
  public static class AddedAndFlagged {
    private final SlotTable<Shown> table = new SlotTable<>();
    private volatile boolean flag;

    @Actor
    public void adds(II_Result result) {
      table.add(new Shown(), 4096);
      result.r1 = flag ? 1 : 0;
    }

    @Actor
    public void flags(II_Result result) {
      flag = true;
      result.r2 = isEmpty(table) ? 0 : 1;
    }
  }

  /** One removes and then looks at the flag; the other raises it and then looks at the table. */
  @JCStressTest
  @Outcome(
      id = {"1, 1", "1, 0", "0, 0"},
      expect = Expect.ACCEPTABLE,
      desc = "who was seen looks at the flag in time")
  @Outcome(expect = Expect.FORBIDDEN, desc = "seen, and does not know that somebody waits")
  @State
  public static class RemovedAndFlagged {
    private final SlotTable<Shown> table = new SlotTable<>();
    private final Shown item = new Shown();
    private volatile boolean flag;

    public RemovedAndFlagged() {
      table.add(item, 4096);
    }

    @Actor
    public void removes(II_Result result) {
      table.remove(item);
      result.r1 = flag ? 1 : 0;
    }

    @Actor
    public void flags(II_Result result) {
      flag = true;
      result.r2 = isEmpty(table) ? 0 : 1;
    }
  }

  /** Two that want the same place both get one, and both leave. */
  @JCStressTest
  @Outcome(id = "2, 0", expect = Expect.ACCEPTABLE, desc = "both were there and both are gone")
  @Outcome(expect = Expect.FORBIDDEN, desc = "one was lost or left behind")
  @State
  public static class SamePlace {
    private final SlotTable<Shown> table = new SlotTable<>();
    private final Shown first = new Shown();
    private final Shown second = new Shown();

    @Actor
    public void one() {
      table.add(first, 0);
    }

    @Actor
    public void two() {
      table.add(second, 0);
    }

    @Arbiter
    public void last(II_Result result) {
      table.find(
          item -> {
            result.r1++;
            return false;
          });
      table.remove(first);
      table.remove(second);
      result.r2 = isEmpty(table) ? 0 : 1;
    }
  }
}

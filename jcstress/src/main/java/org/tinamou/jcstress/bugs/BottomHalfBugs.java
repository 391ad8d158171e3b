package org.tinamou.jcstress.bugs;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/** Ways to lose a bottom half. */
public final class BottomHalfBugs {
  private BottomHalfBugs() {}

  /** A bottom half of a queue that is linked through it. */
  private static final class Node {
    final AtomicBoolean pending = new AtomicBoolean();
    @Nullable Node next;
    int runs;

    /** A callback takes its time. */
    void run() {
      runs++;
      Thread.onSpinWait();
      Thread.onSpinWait();
    }
  }

  /** A queue as the real one, apart from the order in which a node is freed and left. */
  private static final class Queue {
    private final AtomicReference<@Nullable Node> head = new AtomicReference<>();

    void schedule(Node node) {
      if (node.pending.compareAndSet(false, true)) {
        Node seen;
        do {
          seen = head.get();
          node.next = seen;
        } while (!head.compareAndSet(seen, node));
      }
    }

    void runAll() {
      Node node = oldestFirst(head.getAndSet(null));
      while (node != null) {
        // The bug: once it is free another thread may link it elsewhere.
        node.pending.set(false);
        node.run();
        node = node.next;
      }
    }

    private static @Nullable Node oldestFirst(@Nullable Node newest) {
      Node oldest = null;
      Node node = newest;
      while (node != null) {
        Node older = node.next;
        node.next = oldest;
        oldest = node;
        node = older;
      }
      return oldest;
    }
  }

  /** A node is freed before the dispatcher has left it (A2). */
  @JCStressTest
  @Outcome(
      id = {"1, 1", "2, 1"},
      expect = Expect.ACCEPTABLE,
      desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "the chain broke")
  @State
  public static class FreeBeforeUnlink {
    private final Queue queue = new Queue();
    private final Node first = new Node();
    private final Node second = new Node();

    public FreeBeforeUnlink() {
      queue.schedule(first);
      queue.schedule(second);
    }

    @Actor
    public void scheduler() {
      queue.schedule(first);
    }

    @Actor
    public void loop() {
      queue.runAll();
    }

    @Arbiter
    public void last(II_Result result) {
      queue.runAll();
      result.r1 = first.runs;
      result.r2 = second.runs;
    }
  }

  /** What one bottom half shares with who schedules it. */
  private static class Single {
    volatile boolean pending = true;
    int written;
    int seen;
    boolean queuedAgain;

    void lastRun() {
      if (queuedAgain) {
        seen = written;
      }
    }
  }

  /** Counts as pending until its callback has returned. */
  @JCStressTest
  @Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "scheduled during the callback, and lost")
  @State
  public static class ClearedAfterCallback {
    private final Single single = new Single();

    @Actor
    public void scheduler() {
      single.written = 1;
      if (!single.pending) {
        single.queuedAgain = true;
      }
    }

    @Actor
    public void loop() {
      single.seen = single.written;
      single.pending = false;
    }

    @Arbiter
    public void last(I_Result result) {
      single.lastRun();
      result.r1 = single.seen;
    }
  }

  /** Scheduling one that is pending only reads its flag, and so orders nothing. */
  @JCStressTest
  @Outcome(id = "1", expect = Expect.ACCEPTABLE, desc = "well")
  @Outcome(expect = Expect.FORBIDDEN, desc = "the callback missed what was written before")
  @State
  public static class SkippedWhenPending {
    private final Single single = new Single();

    @Actor
    public void scheduler() {
      single.written = 1;
      if (!single.pending) {
        single.queuedAgain = true;
      }
    }

    @Actor
    public void loop() {
      single.pending = false;
      single.seen = single.written;
    }

    @Arbiter
    public void last(I_Result result) {
      single.lastRun();
      result.r1 = single.seen;
    }
  }
}

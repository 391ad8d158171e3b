package org.tinamou.testkit.sim;

import java.util.IdentityHashMap;
import java.util.List;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.BottomHalf;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.LoopHooks;

/** The ledgers of bottom halves and coroutines (I1, I4, I5), and the seed's say in every order. */
final class SimHooks extends LoopHooks {
  private static final class BottomHalfLedger {
    long scheduled;
    long ran;
    long cancelled;

    long pending() {
      return scheduled - ran - cancelled;
    }
  }

  private static final class CoroutineLedger {
    boolean queued;
    boolean ended;
  }

  private final Simulation simulation;
  private final IdentityHashMap<BottomHalf, BottomHalfLedger> bottomHalves =
      new IdentityHashMap<>();
  private final IdentityHashMap<Coroutine, CoroutineLedger> coroutines = new IdentityHashMap<>();
  private long bottomHalvesPending;
  private long coroutinesAlive;

  SimHooks(Simulation simulation) {
    this.simulation = simulation;
  }

  void forget() {
    bottomHalves.clear();
    coroutines.clear();
    bottomHalvesPending = 0;
    coroutinesAlive = 0;
  }

  private BottomHalfLedger of(BottomHalf bottomHalf) {
    return bottomHalves.computeIfAbsent(bottomHalf, key -> new BottomHalfLedger());
  }

  @Override
  public void onScheduled(AioContext context, BottomHalf bottomHalf) {
    BottomHalfLedger ledger = of(bottomHalf);
    ledger.scheduled++;
    bottomHalvesPending++;
    check(ledger.pending() == 1, "I1", "%s is pending %s times", bottomHalf, ledger.pending());
    simulation.note("schedule", bottomHalf.name(), ledger.scheduled);
  }

  @Override
  public void onRun(AioContext context, BottomHalf bottomHalf) {
    BottomHalfLedger ledger = of(bottomHalf);
    ledger.ran++;
    bottomHalvesPending--;
    check(ledger.pending() == 0, "I1", "%s ran without being scheduled", bottomHalf);
    check(
        bottomHalf.context() == simulation.stepping(),
        "I5",
        "%s runs in %s",
        bottomHalf,
        simulation.stepping());
    simulation.note("run", bottomHalf.name(), ledger.ran);
    if (ledger.pending() == 0 && ledger.scheduled > 0 && !bottomHalf.isScheduled()) {
      bottomHalves.remove(bottomHalf);
    }
  }

  @Override
  public void onCancelled(AioContext context, BottomHalf bottomHalf) {
    BottomHalfLedger ledger = of(bottomHalf);
    ledger.cancelled++;
    bottomHalvesPending--;
    check(ledger.pending() == 0, "I1", "%s cancelled without being scheduled", bottomHalf);
  }

  @Override
  public void onResumptionQueued(AioContext context, Coroutine coroutine) {
    if (!simulation.isOwnThread()) {
      simulation.record(
          new Violation(
              "I24", coroutine + " is resumed by a foreign thread: " + Thread.currentThread()));
      return;
    }
    CoroutineLedger ledger = coroutines.get(coroutine);
    if (ledger == null) {
      ledger = new CoroutineLedger();
      coroutines.put(coroutine, ledger);
      coroutinesAlive++;
    }
    check(!ledger.queued, "I4", "%s is queued twice", coroutine);
    check(!ledger.ended, "I4", "%s is queued after its end", coroutine);
    ledger.queued = true;
    simulation.note("queue", coroutine.name(), 0);
  }

  @Override
  public void onForeignPause(AioContext context, Coroutine coroutine) {
    simulation.disturb(coroutine);
  }

  @Override
  public void onResume(AioContext context, Coroutine coroutine) {
    simulation.gotThrough(coroutine);
    CoroutineLedger ledger = coroutines.get(coroutine);
    check(ledger != null && ledger.queued, "I4", "%s runs without being queued", coroutine);
    if (ledger != null) {
      ledger.queued = false;
    }
    check(
        coroutine.context() == context && context == simulation.stepping(),
        "I5",
        "%s of %s runs in %s",
        coroutine,
        coroutine.context().name(),
        context.name());
    simulation.note("resume", coroutine.name(), 0);
  }

  @Override
  public void onEnd(AioContext context, Coroutine coroutine) {
    CoroutineLedger ledger = coroutines.remove(coroutine);
    check(ledger != null && !ledger.queued, "I4", "%s ends while queued", coroutine);
    coroutinesAlive--;
    simulation.note("end", coroutine.name(), 0);
  }

  void checkAtRest() {
    check(bottomHalvesPending == 0, "I1", "%s bottom halves never ran", bottomHalvesPending);
    check(coroutinesAlive == 0, "I9", "coroutines never ended: %s", coroutines.keySet());
  }

  @Override
  public void at(AioContext context, Point point) {
    simulation.interleave(context);
  }

  @Override
  public boolean yieldAt(Point point) {
    int percent = simulation.config().yieldPercent();
    return percent > 0 && simulation.random().chance(percent, 100);
  }

  @Override
  public boolean arranges() {
    return simulation.config().shuffleBottomHalves();
  }

  @Override
  public void arrange(List<BottomHalf> all) {
    simulation.shuffle(all);
  }

  @Override
  public long timerOrder(long sequence) {
    return simulation.random().nextInt(1 << 20);
  }

  /**
   * Hooks run inside the JDK's unpark too, where nothing may be thrown: violations are recorded.
   */
  private void check(
      boolean condition,
      String invariant,
      String format,
      @org.jspecify.annotations.Nullable Object... values) {
    if (!condition) {
      simulation.record(new Violation(invariant, format.formatted(values)));
    }
  }
}

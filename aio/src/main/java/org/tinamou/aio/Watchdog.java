package org.tinamou.aio;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds loops that do not turn: a callback that blocks, a coroutine pinned by a native frame, a
 * system call that hangs. Looks when told to, so that time is the caller's.
 *
 * <p>Not thread-safe: one thread owns it. The loops it looks at may run on any thread.
 */
public final class Watchdog {
  /**
   * A loop that has not turned since the look before.
   *
   * @param coroutine the coroutine it runs, or null if it is in a callback
   * @param stack where its thread stands
   */
  public record Stall(
      AioContext context, @Nullable Coroutine coroutine, List<StackTraceElement> stack) {
    @Override
    public String toString() {
      StringBuilder text =
          new StringBuilder("loop ").append(context.name()).append(" stands still");
      if (coroutine != null) {
        text.append(" in ").append(coroutine.dumpLine());
      }
      stack.forEach(frame -> text.append("\n    at ").append(frame));
      return text.toString();
    }
  }

  private final IdentityHashMap<AioContext, Long> progress = new IdentityHashMap<>();
  private final Consumer<Stall> report;

  public Watchdog(Consumer<Stall> report) {
    this.report = report;
  }

  /** Looks after a loop from the next look on. */
  public void add(AioContext context) {
    progress.put(context, -1L);
  }

  public void remove(AioContext context) {
    progress.remove(context);
  }

  /** Compares every loop with the look before and reports those that stand still. */
  public void look() {
    for (AioContext context : new ArrayList<>(progress.keySet())) {
      long now = context.turn().progress();
      Long before = progress.put(context, now);
      Thread home = context.homeThread();
      boolean busy = home != null && context.isTurning() && !context.turn().isWaiting();
      if (before != null && before == now && busy) {
        Coroutine running = context.running();
        List<StackTraceElement> stack = new ArrayList<>();
        if (running != null) {
          stack.addAll(List.of(running.thread().getStackTrace()));
        }
        stack.addAll(List.of(java.util.Objects.requireNonNull(home).getStackTrace()));
        report.accept(new Stall(context, running, stack));
      }
    }
  }
}

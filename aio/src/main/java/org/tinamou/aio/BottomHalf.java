package org.tinamou.aio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.tinamou.base.Check;

/**
 * A callback that a loop runs soon, once for however many times it was scheduled meanwhile.
 * Reusable.
 *
 * <p>May be scheduled, cancelled and deleted from any thread, also from its own callback. The
 * callback runs on the home thread and must not block. The order in which different bottom halves
 * run is not part of the contract.
 */
public final class BottomHalf extends Task {
  private static final int QUEUED = 1;
  private static final int SCHEDULED = 1 << 1;
  private static final int DELETED = 1 << 2;
  private static final VarHandle FLAGS;

  static {
    try {
      FLAGS = MethodHandles.lookup().findVarHandle(BottomHalf.class, "flags", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final AioContext context;
  private final String name;
  private final Runnable callback;

  private volatile int flags;

  BottomHalf(AioContext context, String name, Runnable callback) {
    this.context = context;
    this.name = name;
    this.callback = callback;
  }

  public String name() {
    return name;
  }

  public AioContext context() {
    return context;
  }

  /**
   * Queues the callback; without effect while it is already pending. What the caller wrote before
   * is visible to the callback.
   */
  @AnyThread
  public void schedule() {
    int before = flags;
    while (true) {
      Check.state((before & DELETED) == 0, "bottom half %s was deleted", name);
      // Also when nothing changes: the callback shall see what the caller wrote before.
      int witness = (int) FLAGS.compareAndExchange(this, before, before | QUEUED | SCHEDULED);
      if (witness == before) {
        break;
      }
      before = witness;
    }
    if ((before & SCHEDULED) == 0) {
      context.hooks().onScheduled(context, this);
    }
    if ((before & QUEUED) == 0 && !context.enqueue(this)) {
      cancel();
      FLAGS.getAndBitwiseAnd(this, ~QUEUED);
      throw new IllegalStateException(context.name() + " is closed: cannot schedule " + this);
    }
  }

  /**
   * Takes a pending callback back. A callback that has started is not waited for.
   *
   * @return whether it was pending
   */
  @AnyThread
  public boolean cancel() {
    int before = (int) FLAGS.getAndBitwiseAnd(this, ~SCHEDULED);
    boolean pending = (before & SCHEDULED) != 0;
    if (pending) {
      context.hooks().onCancelled(context, this);
    }
    return pending;
  }

  /** Cancels, and refuses to be scheduled from now on. Idempotent. */
  @AnyThread
  public void delete() {
    FLAGS.getAndBitwiseOr(this, DELETED);
    cancel();
  }

  @AnyThread
  public boolean isScheduled() {
    return (flags & SCHEDULED) != 0;
  }

  @Override
  void runOn(AioContext runner) {
    int before = (int) FLAGS.getAndBitwiseAnd(this, ~(QUEUED | SCHEDULED));
    if ((before & SCHEDULED) == 0) {
      return;
    }
    context.hooks().onRun(context, this);
    callback.run();
  }

  @Override
  public String toString() {
    return "bottom half " + name;
  }
}

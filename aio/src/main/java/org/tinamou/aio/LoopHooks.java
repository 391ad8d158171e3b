package org.tinamou.aio;

import java.util.List;

/**
 * How a simulator sees and steers a loop: it learns of every event and decides what production
 * leaves to chance. {@link #NONE} does nothing and costs nothing.
 */
public class LoopHooks {
  /** The hooks of a production loop. */
  public static final LoopHooks NONE = new LoopHooks();

  protected LoopHooks() {}

  /** Places between two steps of an algorithm where another thread can get in. */
  public enum Point {
    /** A task was queued; the loop has not been woken for it yet. */
    TASK_QUEUED,
    /** The caller has to wake the loop, and is about to. */
    WAKE_CLAIMED,
    /** The task at hand was unlinked; its flag still says that it is queued. */
    TASK_UNLINKED,
    /** A coroutine is about to ask for a lock. */
    BEFORE_LOCK,
    /** A coroutine has released a lock. */
    AFTER_UNLOCK,
    /** A coroutine is about to submit I/O. */
    BEFORE_IO
  }

  /** A bottom half became pending. */
  public void onScheduled(AioContext context, BottomHalf bottomHalf) {}

  /** A pending bottom half is about to run. */
  public void onRun(AioContext context, BottomHalf bottomHalf) {}

  /** A pending bottom half was cancelled. */
  public void onCancelled(AioContext context, BottomHalf bottomHalf) {}

  /** A coroutine's resumption was queued on a context, by the calling thread. */
  public void onResumptionQueued(AioContext context, Coroutine coroutine) {}

  /** A coroutine is about to run on a context. */
  public void onResume(AioContext context, Coroutine coroutine) {}

  /** A coroutine waits in a monitor of the JDK's own, from which a thread of the JDK resumes it. */
  public void onForeignPause(AioContext context, Coroutine coroutine) {}

  /** A coroutine has ended. */
  public void onEnd(AioContext context, Coroutine coroutine) {}

  /** Another thread may get in here; only what does not resume a coroutine can happen inside. */
  public void at(AioContext context, Point point) {}

  /** Whether the coroutine that stands at {@code point} lets others run first. */
  public boolean yieldAt(Point point) {
    return false;
  }

  /** Whether {@link #arrange} wants to see the bottom halves of each turn. */
  public boolean arranges() {
    return false;
  }

  /** Puts the bottom halves of one turn into the order in which they shall run. */
  public void arrange(List<BottomHalf> bottomHalves) {}

  /** Orders timers of equal deadline: lower first. {@code sequence} counts up with each arming. */
  public long timerOrder(long sequence) {
    return sequence;
  }
}

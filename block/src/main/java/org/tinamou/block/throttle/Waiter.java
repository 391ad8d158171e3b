package org.tinamou.block.throttle;

import org.tinamou.aio.Coroutine;

/** A request that waits. */
final class Waiter {
  private enum State {
    WAITING,
    GRANTED,
    CANCELLED
  }

  private final Coroutine coroutine;
  private final long sizeBytes;
  private volatile State state = State.WAITING;

  Waiter(Coroutine coroutine, long sizeBytes) {
    this.coroutine = coroutine;
    this.sizeBytes = sizeBytes;
  }

  long sizeBytes() {
    return sizeBytes;
  }

  boolean isWaiting() {
    return state == State.WAITING;
  }

  boolean isGranted() {
    return state == State.GRANTED;
  }

  boolean isCancelRequested() {
    return coroutine.isCancelRequested();
  }

  void grant() {
    state = State.GRANTED;
    coroutine.wake();
  }

  void cancel() {
    state = State.CANCELLED;
    coroutine.wake();
  }
}

package org.tinamou.aio;

/** A coroutine's place in the queue of a lock: granted exactly once, by whoever lets it go on. */
final class CoWaiter {
  final Coroutine coroutine = Coroutine.current();
  final boolean exclusive;
  private volatile boolean granted;

  CoWaiter(boolean exclusive) {
    this.exclusive = exclusive;
  }

  void grant() {
    granted = true;
    coroutine.wake();
  }

  void await(String reason) {
    while (!granted) {
      Coroutine.suspend(reason);
    }
  }
}

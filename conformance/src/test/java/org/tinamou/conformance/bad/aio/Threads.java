package org.tinamou.conformance.bad.aio;

import java.util.function.Consumer;

/** One method of each category, and those that call what they must not. */
@AnyThread
final class Threads {
  @InCoroutine
  void parks() {}

  @HomeThread
  void turns() {}

  void schedules(Consumer<Runnable> loop) {
    loop.accept(this::turns);
    loop.accept(() -> turns());
  }

  void turnsFromAnyThread() {
    turns();
  }

  @HomeThread
  void parksOnTheLoop() {
    parks();
  }

  @InCoroutine
  void turnsInCoroutine() {
    turns();
  }
}

package org.tinamou.monitor;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AioContext;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;

/**
 * The commands of all monitors, carried out one after another in the order in which they came.
 * Bounded by what each session may have in it. Belongs to the main loop.
 */
final class CommandQueue {
  /** A command that waits; looks itself whether it is still wanted. */
  @FunctionalInterface
  interface Waiting {
    /** Carries it out; throws nothing. */
    @InCoroutine
    void run();
  }

  private final AioContext main;
  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  private @Nullable Coroutine work;
  private boolean busy;
  private boolean held;

  CommandQueue(AioContext main) {
    this.main = main;
  }

  @HomeThread
  void add(Waiting command) {
    waiting.add(command);
    start();
  }

  /** Carries out none until it is released; those that come wait. */
  @HomeThread
  void hold() {
    held = true;
  }

  @HomeThread
  void release() {
    held = false;
    start();
  }

  private void start() {
    if (!busy && !held && !waiting.isEmpty()) {
      busy = true;
      work = main.spawn("monitor commands", this::carryOut);
    }
  }

  /** Waits until none is being carried out. */
  @InCoroutine
  void awaitRest() {
    Coroutine last = work;
    if (last != null) {
      last.join();
    }
  }

  private void carryOut() {
    try {
      Waiting next;
      while ((next = waiting.poll()) != null) {
        next.run();
      }
    } finally {
      busy = false;
    }
  }
}

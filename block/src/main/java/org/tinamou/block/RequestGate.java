package org.tinamou.block;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.HomeThread;
import org.tinamou.aio.InCoroutine;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;

/**
 * Where a backend's requests come in: through while nothing is drained, else they wait, and those
 * that wait are not in flight. Requests that were stopped by an error wait here too.
 */
final class RequestGate {
  /** Somebody who waits for {@link #resume}. */
  private static final class Stopped {
    final Coroutine coroutine = Coroutine.current();
    volatile boolean resumed;
  }

  private final InFlight inFlight;
  private final CoQueue queue = new CoQueue("drained backend");
  private final ReentrantLock lock = new ReentrantLock();
  private final List<WaitingRequest> waiting = new ArrayList<>(0);
  private final List<Stopped> stopped = new ArrayList<>(0);
  private volatile long resumes;
  private volatile int quiesceCount;
  private volatile boolean queuing = true;

  RequestGate(InFlight inFlight) {
    this.inFlight = inFlight;
  }

  /**
   * Counts the request, then looks whether it may run: whoever drains looks the other way round, so
   * one of the two sees the other.
   */
  @InCoroutine
  void enter(Supplier<String> what) {
    while (!tryEnter()) {
      awaitOpen(what);
    }
  }

  boolean tryEnter() {
    inFlight.begin();
    if (isOpen()) {
      return true;
    }
    inFlight.end();
    return false;
  }

  private boolean isOpen() {
    return quiesceCount == 0 || !queuing;
  }

  @InCoroutine
  void awaitOpen(Supplier<String> what) {
    WaitingRequest entry = new WaitingRequest(what.get(), Coroutine.current().name(), null);
    add(entry);
    try {
      queue.awaitUnless(this::isOpen);
    } finally {
      remove(entry);
    }
  }

  void leave() {
    inFlight.end();
  }

  /** Both or none: whoever drains one after the other would wait for what waits for it. */
  @InCoroutine
  void enterBoth(RequestGate other, Supplier<String> what) {
    while (true) {
      enter(what);
      if (other == this || other.tryEnter()) {
        return;
      }
      leave();
      other.awaitOpen(what);
    }
  }

  void leaveBoth(RequestGate other) {
    leave();
    if (other != this) {
      other.leave();
    }
  }

  /** How often the backend was resumed; asked before a request that may be stopped. */
  long resumes() {
    return resumes;
  }

  /**
   * Waits until the backend has been resumed since {@code resumesBefore}.
   *
   * @throws BlockException ECANCELED if the request was cancelled meanwhile
   */
  @InCoroutine
  void awaitResume(long resumesBefore, Supplier<String> what, BlockException error)
      throws BlockException {
    Stopped self = new Stopped();
    WaitingRequest entry = new WaitingRequest(what.get(), self.coroutine.name(), error);
    lock.lock();
    try {
      if (resumes != resumesBefore) {
        return;
      }
      stopped.add(self);
      waiting.add(entry);
    } finally {
      lock.unlock();
    }
    try {
      while (!self.resumed) {
        if (self.coroutine.isCancelRequested()) {
          throw BlockException.of(Errno.ECANCELED, what.get());
        }
        Coroutine.suspend("resume of a stopped backend");
      }
    } finally {
      lock.lock();
      try {
        stopped.remove(self);
        waiting.remove(entry);
      } finally {
        lock.unlock();
      }
    }
  }

  @AnyThread
  @SuppressWarnings("NonAtomicVolatileUpdate") // written under the lock only
  void resume() {
    List<Stopped> all;
    lock.lock();
    try {
      resumes++;
      all = List.copyOf(stopped);
    } finally {
      lock.unlock();
    }
    for (Stopped each : all) {
      each.resumed = true;
      each.coroutine.wake();
    }
  }

  private void add(WaitingRequest entry) {
    lock.lock();
    try {
      waiting.add(entry);
    } finally {
      lock.unlock();
    }
  }

  private void remove(WaitingRequest entry) {
    lock.lock();
    try {
      waiting.remove(entry);
    } finally {
      lock.unlock();
    }
  }

  @AnyThread
  List<WaitingRequest> waiting() {
    lock.lock();
    try {
      return List.copyOf(waiting);
    } finally {
      lock.unlock();
    }
  }

  @HomeThread
  void setQueuing(boolean enabled) {
    queuing = enabled;
    if (!enabled) {
      queue.wakeAll();
    }
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // written on the main loop only
  @HomeThread
  void quiesce() {
    quiesceCount++;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // written on the main loop only
  @HomeThread
  void unquiesce() {
    Check.state(quiesceCount > 0, "released more often than quiesced");
    quiesceCount--;
    if (quiesceCount == 0) {
      queue.wakeAll();
    }
  }

  @AnyThread
  boolean isQuiesced() {
    return quiesceCount > 0;
  }
}

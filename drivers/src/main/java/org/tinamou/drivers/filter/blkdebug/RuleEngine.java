package org.tinamou.drivers.filter.blkdebug;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoQueue;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.block.DebugEvent;
import org.tinamou.drivers.filter.blkdebug.Rules.InjectError;
import org.tinamou.drivers.filter.blkdebug.Rules.SetState;

/**
 * Rules at work: a number that events change, errors that events make effective, and breakpoints.
 * An error stays effective until an event makes others so. The lock is held for short steps only.
 */
final class RuleEngine {
  private record Breakpoint(DebugEvent event, String tag, Consumer<String> log) {}

  /** One stop of a request at one breakpoint. */
  private static final class Stop {
    final Breakpoint breakpoint;
    final Coroutine request;
    volatile boolean released;

    Stop(Breakpoint breakpoint, Coroutine request) {
      this.breakpoint = breakpoint;
      this.request = request;
    }

    String tag() {
      return breakpoint.tag();
    }

    void release() {
      breakpoint.log().accept("blkdebug: Resuming request '" + tag() + "'");
      released = true;
      request.wake();
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final CoQueue waitingForStops = new CoQueue("a request to come to a breakpoint");

  // Guarded by the lock.
  private final List<InjectError> errors;
  private final List<SetState> changes;
  private final List<InjectError> effective = new ArrayList<>();

  /** The newest first, as are the stops. */
  private final List<Breakpoint> breakpoints = new ArrayList<>();

  private final List<Stop> stops = new ArrayList<>();
  private long state = 1;

  RuleEngine(Rules rules) {
    errors = new ArrayList<>(rules.errors);
    changes = new ArrayList<>(rules.changes);
  }

  /** An event has come: changes what it changes, and waits where somebody wants that. */
  @InCoroutine
  void announced(DebugEvent event) {
    List<Stop> mine = new ArrayList<>(0);
    lock.lock();
    try {
      makeEffective(event);
      changeState(event);
      for (Breakpoint breakpoint : List.copyOf(breakpoints)) {
        if (breakpoint.event() == event) {
          breakpoints.remove(breakpoint);
          mine.add(new Stop(breakpoint, Coroutine.current()));
        }
      }
    } finally {
      lock.unlock();
    }
    if (!mine.isEmpty()) {
      stopAt(mine);
    }
  }

  private void makeEffective(DebugEvent event) {
    boolean first = true;
    for (InjectError error : errors) {
      if (error.event() == event && (error.state() == 0 || error.state() == state)) {
        if (first) {
          effective.clear();
          first = false;
        }
        effective.add(error);
      }
    }
  }

  private void changeState(DebugEvent event) {
    for (SetState change : changes) {
      if (change.event() == event && (change.state() == 0 || change.state() == state)) {
        state = change.newState();
        return; // of several the oldest counts
      }
    }
  }

  private void stopAt(List<Stop> mine) {
    for (Stop stop : mine) {
      stop.breakpoint.log().accept("blkdebug: Suspended request '" + stop.tag() + "'");
    }
    lock.lock();
    try {
      mine.forEach(stops::addFirst);
    } finally {
      lock.unlock();
    }
    waitingForStops.wakeAll();
    for (Stop stop : mine) {
      while (!stop.released) {
        Coroutine.suspend("blkdebug breakpoint " + stop.tag());
      }
    }
  }

  /**
   * The error that a request has to fail with.
   *
   * @param lengthBytes 0 for requests that have none
   */
  @AnyThread
  @Nullable InjectError find(IoType type, long offsetBytes, long lengthBytes) {
    lock.lock();
    try {
      InjectError found = null;
      for (InjectError error : effective) {
        if (error.concerns(type, offsetBytes, lengthBytes)) {
          found = error;
          break;
        }
      }
      if (found != null && found.once()) {
        effective.remove(found);
        errors.remove(found);
      }
      return found;
    } finally {
      lock.unlock();
    }
  }

  @AnyThread
  void addBreakpoint(DebugEvent event, String tag, Consumer<String> log) {
    lock.lock();
    try {
      breakpoints.addFirst(new Breakpoint(event, tag, log));
    } finally {
      lock.unlock();
    }
  }

  /** False if there was no breakpoint; requests that wait under the tag go on either way. */
  @AnyThread
  boolean removeBreakpoint(String tag) {
    boolean removed;
    lock.lock();
    try {
      removed = breakpoints.removeIf(breakpoint -> breakpoint.tag().equals(tag));
    } finally {
      lock.unlock();
    }
    boolean more = true;
    while (more) {
      more = resume(tag);
    }
    return removed;
  }

  @AnyThread
  boolean resume(String tag) {
    Stop found = null;
    lock.lock();
    try {
      for (Stop stop : stops) {
        if (stop.tag().equals(tag)) {
          found = stop;
          break;
        }
      }
      if (found != null) {
        stops.remove(found);
      }
    } finally {
      lock.unlock();
    }
    if (found == null) {
      return false;
    }
    found.release();
    return true;
  }

  @AnyThread
  boolean isSuspended(String tag) {
    lock.lock();
    try {
      return stops.stream().anyMatch(stop -> stop.tag().equals(tag));
    } finally {
      lock.unlock();
    }
  }

  @InCoroutine
  void awaitSuspended(String tag) {
    while (!isSuspended(tag)) {
      waitingForStops.awaitUnless(() -> isSuspended(tag));
    }
  }
}

package org.tinamou.aio;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.tinamou.base.Check;

/**
 * The watched descriptors of one loop and those of them that are ready. Home thread, except {@link
 * #dump()}.
 */
final class LoopWatches {
  private final AioContext context;
  private final Poller poller;
  private final ArrayDeque<FdWatch> ready = new ArrayDeque<>();
  private final ArrayList<FdWatch> all = new ArrayList<>();

  LoopWatches(AioContext context, Poller poller) {
    this.context = context;
    this.poller = poller;
  }

  FdWatch add(int fd, int events, FdWatch.Handler handler) {
    context.checkHome();
    FdWatch watch = new FdWatch(this, fd, events, handler);
    if (events != 0) {
      poller.update(watch);
    }
    watch.index = all.size();
    all.add(watch);
    return watch;
  }

  void changeInterest(FdWatch watch, int events) {
    context.checkHome();
    Check.state(watch.index >= 0, "the watch of descriptor %s was removed", watch.fd());
    if (watch.interest() != events) {
      watch.interest(events);
      watch.readyEvents &= events;
      poller.update(watch);
    }
  }

  void remove(FdWatch watch) {
    context.checkHome();
    int index = watch.index;
    if (index < 0) {
      return;
    }
    watch.index = -1;
    FdWatch last = all.removeLast();
    if (last != watch) {
      all.set(index, last);
      last.index = index;
    }
    watch.readyEvents = 0;
    if (watch.interest() != 0) {
      watch.interest(0);
      poller.update(watch);
    }
  }

  /** The poller has found it ready. */
  void queueReady(FdWatch watch) {
    ready.add(watch);
  }

  boolean hasReady() {
    return !ready.isEmpty();
  }

  /** Runs the handler of one ready watch, unless it was removed; false if none is left. */
  boolean dispatchOne() {
    FdWatch watch = ready.poll();
    if (watch == null) {
      return false;
    }
    int events = watch.readyEvents;
    watch.queued = false;
    watch.readyEvents = 0;
    if (events != 0) {
      context.guarded(watch, () -> watch.handler.ready(events));
    }
    return true;
  }

  /** A line for each; exact on the home thread only. */
  List<String> dump() {
    List<String> lines = new ArrayList<>();
    for (Object each : all.toArray()) {
      if (each instanceof FdWatch watch) {
        lines.add(watch.toString());
      }
    }
    return lines;
  }
}

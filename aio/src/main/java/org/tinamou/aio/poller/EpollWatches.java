package org.tinamou.aio.poller;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tinamou.aio.FdWatch;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.host.Epoll;

/**
 * Watches of an epoll instance, which knows each descriptor once: watches of the same descriptor
 * share an entry. Files epoll refuses because they never block (EPERM) are always ready. Home
 * thread.
 */
final class EpollWatches {
  private static final class Entry {
    final List<FdWatch> watches = new ArrayList<>(1);
    int kernelEvents;
    boolean alwaysReady;
  }

  private final Epoll epoll;
  private final Map<Integer, Entry> entries = new HashMap<>();
  private int alwaysReady;

  EpollWatches(Epoll epoll) {
    this.epoll = epoll;
  }

  void update(FdWatch watch) {
    Entry entry = entries.computeIfAbsent(watch.fd(), fd -> new Entry());
    entry.watches.remove(watch);
    if (watch.interest() != 0) {
      entry.watches.add(watch);
    }
    int interest = 0;
    for (FdWatch each : entry.watches) {
      interest |= each.interest();
    }
    apply(watch.fd(), entry, PollEvents.toKernel(interest));
    if (entry.watches.isEmpty()) {
      entries.remove(watch.fd());
    }
  }

  private void apply(int fd, Entry entry, int kernelEvents) {
    int old = entry.kernelEvents;
    entry.kernelEvents = kernelEvents;
    if (entry.alwaysReady) {
      if (kernelEvents == 0) {
        alwaysReady--;
      }
      return;
    }
    if (kernelEvents == 0) {
      // The only failures are that the descriptor is gone already.
      epoll.remove(fd);
      return;
    }
    int result = old == 0 ? epoll.add(fd, kernelEvents, fd) : epoll.modify(fd, kernelEvents, fd);
    if (result == -Errno.EPERM.number()) {
      entry.alwaysReady = true;
      alwaysReady++;
      return;
    }
    Check.state(result == 0, "cannot watch descriptor %s: errno %s", fd, -result);
  }

  /** Whether something is ready that epoll does not tell of. */
  boolean hasAlwaysReady() {
    return alwaysReady > 0;
  }

  void markAlwaysReady() {
    if (alwaysReady > 0) {
      for (Entry entry : entries.values()) {
        if (entry.alwaysReady) {
          mark(entry, FdWatch.READABLE | FdWatch.WRITABLE);
        }
      }
    }
  }

  void ready(int fd, int kernelEvents) {
    Entry entry = entries.get(fd);
    if (entry != null) {
      mark(entry, PollEvents.fromKernel(kernelEvents));
    }
  }

  private static void mark(Entry entry, int events) {
    for (FdWatch watch : entry.watches) {
      watch.markReady(events);
    }
  }
}

package org.tinamou.aio;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The coroutines of one loop that have started and not ended. Keeps them from being collected while
 * they are parked and nobody else knows them. Home thread, except {@link #dump()}.
 */
final class LiveCoroutines {
  /** How far a foreign thread follows a list that changes under it. */
  private static final int MAX_DUMPED = 100_000;

  private @Nullable Coroutine first;
  private int count;

  void add(Coroutine coroutine) {
    coroutine.previousLive = null;
    coroutine.nextLive = first;
    if (first != null) {
      first.previousLive = coroutine;
    }
    first = coroutine;
    count++;
  }

  void remove(Coroutine coroutine) {
    Coroutine previous = coroutine.previousLive;
    Coroutine next = coroutine.nextLive;
    if (previous == null) {
      first = next;
    } else {
      previous.nextLive = next;
    }
    if (next != null) {
      next.previousLive = previous;
    }
    coroutine.previousLive = null;
    coroutine.nextLive = null;
    count--;
  }

  int count() {
    return count;
  }

  /** A line for each; exact on the home thread only. */
  List<String> dump() {
    List<String> lines = new ArrayList<>();
    Coroutine each = first;
    while (each != null && lines.size() < MAX_DUMPED) {
      lines.add(each.dumpLine());
      each = each.nextLive;
    }
    return lines;
  }
}

package org.tinamou.testkit.sim;

import java.util.ArrayDeque;
import java.util.List;

/** A running hash of everything that happened, and the last events in words. */
final class EventHash {
  private static final int REMEMBERED = Integer.getInteger("tinamou.sim.remember", 60);

  private final ArrayDeque<String> recent = new ArrayDeque<>();
  private final boolean remember;
  private long hash = 0xCBF29CE484222325L;
  private long events;

  EventHash(boolean remember) {
    this.remember = remember;
  }

  void add(String kind, String name, long number) {
    events++;
    mix(kind.hashCode());
    mix(name.hashCode());
    mix(number);
    if (remember) {
      if (recent.size() == REMEMBERED) {
        recent.removeFirst();
      }
      recent.add(kind + " " + name + " " + number);
    }
  }

  private void mix(long value) {
    hash = (hash ^ value) * 0x100000001B3L;
    hash ^= hash >>> 29;
  }

  long value() {
    return hash;
  }

  long events() {
    return events;
  }

  List<String> recent() {
    return List.copyOf(recent);
  }
}

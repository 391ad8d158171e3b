package org.tinamou.aio.poller;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.IoRequest;
import org.tinamou.base.Check;

/**
 * Requests in flight by small numbers, which travel through the kernel in their place. A number
 * used anew has another generation, so that a late cancellation cannot hit the wrong request. Grows
 * to the most requests ever in flight at once. Home thread.
 */
final class RequestTable {
  private static final int MARK_BITS = 8;

  private @Nullable IoRequest[] requests = new IoRequest[64];

  /** Of each slot the generation, shifted, and its marks. */
  private int[] states = new int[64];

  /** Slots that were used and are free, the last one on top. */
  private int[] free = new int[64];

  private int freeCount;
  private int used;

  int count() {
    return used - freeCount;
  }

  /** Takes a request in; its slot becomes {@link IoRequest#pollerSlot}. */
  void add(IoRequest request) {
    int slot;
    if (freeCount > 0) {
      slot = free[--freeCount];
    } else {
      slot = used++;
      if (slot == requests.length) {
        grow();
      }
    }
    requests[slot] = request;
    request.pollerSlot = slot;
  }

  IoRequest get(int slot) {
    IoRequest request = requests[slot];
    Check.state(request != null, "no request in flight has number %s", slot);
    return java.util.Objects.requireNonNull(request);
  }

  boolean holds(IoRequest request) {
    int slot = request.pollerSlot;
    return slot >= 0 && slot < used && requests[slot] == request;
  }

  void remove(IoRequest request) {
    int slot = request.pollerSlot;
    requests[slot] = null;
    states[slot] = (generation(slot) + 1) << MARK_BITS;
    free[freeCount++] = slot;
  }

  /** Counts up each time the slot is used anew; wraps around. */
  int generation(int slot) {
    return states[slot] >>> MARK_BITS;
  }

  /**
   * Leaves a mark on the request in the slot.
   *
   * @param mark one of the lowest {@link #MARK_BITS} bits
   */
  void mark(int slot, int mark) {
    states[slot] |= mark;
  }

  boolean isMarked(int slot, int mark) {
    return (states[slot] & mark) != 0;
  }

  private void grow() {
    int larger = requests.length * 2;
    requests = Arrays.copyOf(requests, larger);
    states = Arrays.copyOf(states, larger);
    free = Arrays.copyOf(free, larger);
  }
}

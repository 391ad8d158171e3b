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
  private static final int NONE = -1;

  private @Nullable IoRequest[] requests = new IoRequest[64];
  private int[] generations = new int[64];
  private int[] nextFree = new int[64];
  private byte[] marks = new byte[64];
  private int firstFree = NONE;
  private int used;
  private int count;

  int count() {
    return count;
  }

  /** Takes a request in; its slot becomes {@link IoRequest#pollerSlot}. */
  void add(IoRequest request) {
    int slot = firstFree;
    if (slot == NONE) {
      slot = used++;
      if (slot == requests.length) {
        grow();
      }
    } else {
      firstFree = nextFree[slot];
    }
    requests[slot] = request;
    request.pollerSlot = slot;
    count++;
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
    generations[slot]++;
    marks[slot] = 0;
    nextFree[slot] = firstFree;
    firstFree = slot;
    count--;
  }

  int generation(int slot) {
    return generations[slot];
  }

  void mark(int slot, byte mark) {
    marks[slot] |= mark;
  }

  boolean isMarked(int slot, byte mark) {
    return (marks[slot] & mark) != 0;
  }

  private void grow() {
    int larger = requests.length * 2;
    requests = Arrays.copyOf(requests, larger);
    generations = Arrays.copyOf(generations, larger);
    nextFree = Arrays.copyOf(nextFree, larger);
    marks = Arrays.copyOf(marks, larger);
  }
}

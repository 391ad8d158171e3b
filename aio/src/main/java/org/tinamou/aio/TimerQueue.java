package org.tinamou.aio;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The armed timers of one clock: a binary heap in which each timer knows its place. */
final class TimerQueue {
  private @Nullable AioTimer[] heap = new AioTimer[8];
  private int size;

  int size() {
    return size;
  }

  /** Exact on the home thread only. */
  List<AioTimer> armed() {
    @Nullable AioTimer[] seen = heap;
    List<AioTimer> all = new ArrayList<>();
    for (int i = 0; i < Math.min(size, seen.length); i++) {
      AioTimer timer = seen[i];
      if (timer != null) {
        all.add(timer);
      }
    }
    return all;
  }

  /** The timer that fires first, or null if none is armed. */
  @Nullable AioTimer first() {
    return size == 0 ? null : heap[0];
  }

  void add(AioTimer timer) {
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, size * 2);
    }
    size++;
    siftUp(size - 1, timer);
  }

  void remove(AioTimer timer) {
    int hole = timer.heapIndex;
    timer.heapIndex = -1;
    size--;
    AioTimer last = at(size);
    heap[size] = null;
    if (hole == size) {
      return;
    }
    if (hole > 0 && before(last, at((hole - 1) >>> 1))) {
      siftUp(hole, last);
    } else {
      siftDown(hole, last);
    }
  }

  private void siftUp(int start, AioTimer timer) {
    int index = start;
    while (index > 0) {
      int parentIndex = (index - 1) >>> 1;
      AioTimer parent = at(parentIndex);
      if (!before(timer, parent)) {
        break;
      }
      place(index, parent);
      index = parentIndex;
    }
    place(index, timer);
  }

  private void siftDown(int start, AioTimer timer) {
    int index = start;
    while (true) {
      int child = 2 * index + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && before(at(child + 1), at(child))) {
        child++;
      }
      if (!before(at(child), timer)) {
        break;
      }
      place(index, at(child));
      index = child;
    }
    place(index, timer);
  }

  private void place(int index, AioTimer timer) {
    heap[index] = timer;
    timer.heapIndex = index;
  }

  private AioTimer at(int index) {
    return Objects.requireNonNull(heap[index]);
  }

  private static boolean before(AioTimer a, AioTimer b) {
    return a.deadlineNanos != b.deadlineNanos
        ? a.deadlineNanos < b.deadlineNanos
        : a.order < b.order;
  }
}

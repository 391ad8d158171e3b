package org.tinamou.block;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/**
 * Page-aligned memory for all graphs of the process: what one gives back, any other takes. It is
 * never given back to the host, so there is as much of it as was in use at once; the graphs'
 * budgets bound that.
 *
 * <p>Nothing here waits. Memory that the garbage collector frees would not do: to register it, the
 * JDK takes a monitor, in which a coroutine must not wait.
 */
public final class PageMemory {
  static final int PAGE_BYTES = 4096;
  private static final int SIZES = 10;

  private static final List<ConcurrentLinkedQueue<MemorySegment>> FREE = new ArrayList<>();

  static {
    for (int i = 0; i < SIZES; i++) {
      FREE.add(new ConcurrentLinkedQueue<>());
    }
  }

  private PageMemory() {}

  /** A segment of so many pages that it has at least that many bytes, a power of two. */
  @AnyThread
  public static MemorySegment take(long sizeBytes) {
    int size = sizeIndex(sizeBytes);
    @Nullable MemorySegment kept = FREE.get(size).poll();
    return kept != null ? kept : Arena.global().allocate((long) PAGE_BYTES << size, PAGE_BYTES);
  }

  /** How many bytes {@link #take} gives. */
  @AnyThread
  static long roundedBytes(long sizeBytes) {
    return (long) PAGE_BYTES << sizeIndex(sizeBytes);
  }

  /** Takes back what {@link #take} gave, all of it. */
  @AnyThread
  public static void give(MemorySegment memory) {
    FREE.get(sizeIndex(memory.byteSize())).add(memory);
  }

  private static int sizeIndex(long sizeBytes) {
    int pages = (int) ((sizeBytes + PAGE_BYTES - 1) / PAGE_BYTES);
    return Integer.SIZE - Integer.numberOfLeadingZeros(pages - 1);
  }
}

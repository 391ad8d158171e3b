package org.tinamou.nbd.server;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.IoVector;

/**
 * Page-aligned memory for data on its way, for all servers of the process. It is kept for the next
 * who needs some, so there is as much of it as was in flight at once, which {@link MemoryBudget}
 * bounds.
 */
final class TransferMemory {
  private static final int PAGE_BYTES = 4096;
  private static final int SIZES = 9;
  private static final List<ConcurrentLinkedQueue<MemorySegment>> FREE = new ArrayList<>();

  static {
    for (int i = 0; i < SIZES; i++) {
      FREE.add(new ConcurrentLinkedQueue<>());
    }
  }

  private final List<MemorySegment> whole;
  private final IoVector vector;

  private TransferMemory(List<MemorySegment> whole, IoVector vector) {
    this.whole = whole;
    this.vector = vector;
  }

  /** Memory for so many bytes. */
  @AnyThread
  static TransferMemory take(long bytes) {
    if (bytes <= MemoryBudget.OWN_BYTES) {
      MemorySegment segment = segment(bytes);
      return new TransferMemory(List.of(segment), IoVector.of(segment.asSlice(0, bytes)));
    }
    List<MemorySegment> whole = new ArrayList<>();
    List<MemorySegment> parts = new ArrayList<>();
    for (long left = bytes; left > 0; left -= MemoryBudget.OWN_BYTES) {
      long piece = Math.min(left, MemoryBudget.OWN_BYTES);
      MemorySegment segment = segment(piece);
      whole.add(segment);
      parts.add(segment.asSlice(0, piece));
    }
    return new TransferMemory(whole, IoVector.of(parts));
  }

  private static MemorySegment segment(long bytes) {
    int size = sizeIndex(bytes);
    @Nullable MemorySegment kept = FREE.get(size).poll();
    return kept != null ? kept : Arena.global().allocate((long) PAGE_BYTES << size, PAGE_BYTES);
  }

  private static int sizeIndex(long bytes) {
    int pages = (int) ((bytes + PAGE_BYTES - 1) / PAGE_BYTES);
    return pages <= 1 ? 0 : Integer.SIZE - Integer.numberOfLeadingZeros(pages - 1);
  }

  /** The bytes asked for. */
  IoVector vector() {
    return vector;
  }

  /** The bytes asked for, which were few enough to be in one piece. */
  MemorySegment segment() {
    return vector.segments().getFirst();
  }

  /** Gives the memory back. Once. */
  @AnyThread
  void release() {
    for (MemorySegment each : whole) {
      FREE.get(sizeIndex(each.byteSize())).add(each);
    }
  }
}

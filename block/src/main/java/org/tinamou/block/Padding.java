package org.tinamou.block;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.base.IoVector;

/**
 * A request widened to whole blocks: the caller's buffer with memory of ours before and behind it
 * for the parts of the first and last block that were not asked for.
 */
final class Padding implements AutoCloseable {
  /** A block of which the request covers only a part. */
  record Block(long offsetBytes, MemorySegment memory, boolean isHead, boolean isTail) {}

  private final BounceBuffers buffers;
  private final @Nullable MemorySegment memory;
  private final long offsetBytes;
  private final IoVector vector;
  private final List<Block> partialBlocks;
  private final long headBytes;
  private final IoVector buffer;
  private final int alignment;

  private Padding(
      BounceBuffers buffers,
      @Nullable MemorySegment memory,
      long offsetBytes,
      IoVector vector,
      List<Block> partialBlocks,
      long headBytes,
      IoVector buffer,
      int alignment) {
    this.buffers = buffers;
    this.memory = memory;
    this.offsetBytes = offsetBytes;
    this.vector = vector;
    this.partialBlocks = partialBlocks;
    this.headBytes = headBytes;
    this.buffer = buffer;
    this.alignment = alignment;
  }

  static boolean isAligned(long offset, long length, int alignment) {
    return ((offset | length) & (alignment - 1)) == 0;
  }

  /** The request as it is if it is aligned, else with padding, which the caller closes. */
  static Padding of(BlockNode node, long offset, IoVector buffer, int alignment) {
    BounceBuffers buffers = node.graph().bounceBuffers();
    long length = buffer.sizeBytes();
    if (isAligned(offset, length, alignment)) {
      return new Padding(buffers, null, offset, buffer, List.of(), 0, buffer, alignment);
    }
    long start = offset & -(long) alignment;
    long end = (offset + length + alignment - 1) & -(long) alignment;
    long head = offset - start;
    long tail = end - offset - length;
    MemorySegment memory = buffers.takeSmall(2L * alignment);
    MemorySegment first = memory.asSlice(0, alignment);
    MemorySegment last = memory.asSlice(alignment, alignment);
    List<Block> partial = new ArrayList<>();
    if (end - start == alignment) {
      // One block: it is read whole, and the caller's part laid over it.
      partial.add(new Block(start, first, head > 0, tail > 0));
      return new Padding(
          buffers, memory, start, IoVector.of(first), partial, head, buffer, alignment);
    }
    List<MemorySegment> parts = new ArrayList<>();
    long from = 0;
    long to = length;
    if (head > 0) {
      partial.add(new Block(start, first, true, false));
      parts.add(first.asSlice(0, head));
    }
    parts.addAll(buffer.slice(from, to - from).segments());
    if (tail > 0) {
      partial.add(new Block(end - alignment, last, false, true));
      parts.add(last.asSlice(alignment - tail, tail));
    }
    return new Padding(
        buffers, memory, start, IoVector.of(parts), partial, head, buffer, alignment);
  }

  long offsetBytes() {
    return offsetBytes;
  }

  IoVector vector() {
    return vector;
  }

  /** What a write has to read first. */
  List<Block> partialBlocks() {
    return partialBlocks;
  }

  private boolean isSingleBlock() {
    return memory != null && vector.sizeBytes() == alignment;
  }

  /** After the partial blocks were read: lays what is to be written over them. */
  void restoreBuffer() {
    if (isSingleBlock()) {
      copyOut(buffer, vector.segments().getFirst().asSlice(headBytes, buffer.sizeBytes()));
    }
  }

  /** After the vector was read: hands the caller its part. */
  void deliver() {
    if (isSingleBlock()) {
      copyIn(vector.segments().getFirst().asSlice(headBytes, buffer.sizeBytes()), buffer);
    }
  }

  @Override
  public void close() {
    MemorySegment used = memory;
    if (used != null) {
      buffers.give(used);
    }
  }

  /** Copies the vector's bytes to the start of the segment. */
  static void copyOut(IoVector from, MemorySegment to) {
    long at = 0;
    for (MemorySegment segment : from.segments()) {
      MemorySegment.copy(segment, 0, to, at, segment.byteSize());
      at += segment.byteSize();
    }
  }

  /** Copies the start of the segment into the vector. */
  static void copyIn(MemorySegment from, IoVector to) {
    long at = 0;
    for (MemorySegment segment : to.segments()) {
      MemorySegment.copy(from, at, segment, 0, segment.byteSize());
      at += segment.byteSize();
    }
  }
}

package org.tinamou.base;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * An ordered list of off-heap segments that one request reads into or writes from.
 *
 * <p>The vector does not own its memory: whoever made the segments keeps them alive until the
 * request that uses them has completed. Immutable, so it may be shared between threads; the bytes
 * behind it may not. Segments must not belong to a confined arena, since a request may run on any
 * loop's thread.
 */
public final class IoVector {
  /** A vector of no bytes. */
  public static final IoVector EMPTY = new IoVector(List.of(), 0);

  private final List<MemorySegment> segments;
  private final long sizeBytes;

  private IoVector(List<MemorySegment> segments, long sizeBytes) {
    this.segments = segments;
    this.sizeBytes = sizeBytes;
  }

  /** A vector of one segment. */
  public static IoVector of(MemorySegment segment) {
    return of(List.of(segment));
  }

  /** A vector of several segments; empty ones are dropped. */
  public static IoVector of(List<MemorySegment> segments) {
    long total = 0;
    List<MemorySegment> kept = new ArrayList<>(segments.size());
    for (MemorySegment segment : segments) {
      Check.argument(segment.isNative(), "a heap segment cannot be handed to the kernel");
      if (segment.byteSize() > 0) {
        kept.add(segment);
        total = Math.addExact(total, segment.byteSize());
      }
    }
    return kept.isEmpty() ? EMPTY : new IoVector(List.copyOf(kept), total);
  }

  public List<MemorySegment> segments() {
    return segments;
  }

  public long sizeBytes() {
    return sizeBytes;
  }

  /** The part {@code [offsetBytes, offsetBytes + lengthBytes)}, sharing the same memory. */
  public IoVector slice(long offsetBytes, long lengthBytes) {
    java.util.Objects.checkFromIndexSize(offsetBytes, lengthBytes, sizeBytes);
    if (lengthBytes == sizeBytes) {
      return this;
    }
    List<MemorySegment> parts = new ArrayList<>();
    long skip = offsetBytes;
    long left = lengthBytes;
    for (MemorySegment segment : segments) {
      if (left == 0) {
        break;
      }
      if (skip >= segment.byteSize()) {
        skip -= segment.byteSize();
        continue;
      }
      long take = Math.min(left, segment.byteSize() - skip);
      parts.add(segment.asSlice(skip, take));
      skip = 0;
      left -= take;
    }
    return of(parts);
  }

  /** The part from {@code offsetBytes} to the end. */
  public IoVector slice(long offsetBytes) {
    return slice(offsetBytes, sizeBytes - offsetBytes);
  }

  /** Sets every byte to {@code value}. */
  public void fill(byte value) {
    for (MemorySegment segment : segments) {
      segment.fill(value);
    }
  }

  /** Whether every byte is zero. */
  public boolean isZero() {
    for (MemorySegment segment : segments) {
      if (!Zeroes.isZero(segment)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return "IoVector[" + segments.size() + " segments, " + sizeBytes + " bytes]";
  }
}

package org.tinamou.host;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.tinamou.base.IoVector;

/** Lays an {@link IoVector} out as the kernel's array of {@code struct iovec}. */
public final class Iovecs {
  /** The most buffers one call takes (IOV_MAX); the rest of a longer vector is left out. */
  public static final int MAX_COUNT = 1024;

  private static final long IOVEC_BYTES = 16;

  private Iovecs() {}

  /** How many buffers of the vector take part in one call. */
  public static int count(IoVector vector) {
    return Math.min(vector.segments().size(), MAX_COUNT);
  }

  /** The memory that so many buffers need. */
  public static long bytes(int count) {
    return count * IOVEC_BYTES;
  }

  /**
   * Describes the first {@link #MAX_COUNT} buffers.
   *
   * @param target at least {@link #bytes} of {@link #count} bytes, 8-byte aligned
   * @return how many buffers were described
   */
  public static int write(IoVector vector, MemorySegment target) {
    List<MemorySegment> segments = vector.segments();
    int count = count(vector);
    for (int i = 0; i < count; i++) {
      MemorySegment segment = segments.get(i);
      target.set(ValueLayout.JAVA_LONG, i * IOVEC_BYTES, segment.address());
      target.set(ValueLayout.JAVA_LONG, i * IOVEC_BYTES + 8, segment.byteSize());
    }
    return count;
  }
}

package org.tinamou.block;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.tinamou.base.Check;

/** Zeroes to write, shared by everybody and never written to. */
public final class ZeroMemory {
  private static final MemorySegment ZEROES =
      Arena.global().allocate(BounceBuffers.MAX_BUFFER_BYTES, 4096).asReadOnly();

  private ZeroMemory() {}

  /** That many zero bytes, at most {@link BounceBuffers#MAX_BUFFER_BYTES}. */
  public static MemorySegment ofSize(long bytes) {
    Check.argument(bytes <= BounceBuffers.MAX_BUFFER_BYTES, "too many zeroes: %s", bytes);
    return ZEROES.asSlice(0, bytes);
  }
}

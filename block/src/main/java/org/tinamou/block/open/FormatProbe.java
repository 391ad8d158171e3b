package org.tinamou.block.open;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;

/** Recognises a format by the beginning of an image. */
@FunctionalInterface
public interface FormatProbe {
  /**
   * The name of the format, or null if it looks like none.
   *
   * @param header the first bytes, zeroes behind a shorter image's end
   * @param fileName what the image is called; may be empty
   */
  @AnyThread
  @Nullable String probe(byte[] header, String fileName);
}

package org.tinamou.tools.image;

import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.protocol.file.CacheMode;

/**
 * How a tool wants an image opened.
 *
 * @param name as the user wrote it
 * @param format null to look at the image's beginning
 * @param cache how writes reach the disk
 * @param keepOthersFromChanging nobody else may write to it or change its size meanwhile
 */
public record OpenRequest(
    String name,
    @Nullable String format,
    boolean writable,
    CacheMode cache,
    boolean keepOthersFromChanging) {

  /** To read it while others may do what they like. */
  public static OpenRequest reading(String name, @Nullable String format, CacheMode cache) {
    return new OpenRequest(name, format, false, cache, false);
  }

  /** To read and write it while others may do what they like. */
  public static OpenRequest writing(String name, @Nullable String format, CacheMode cache) {
    return new OpenRequest(name, format, true, cache, false);
  }

  /** The same, keeping others from writing. */
  public OpenRequest exclusive() {
    return new OpenRequest(name, format, writable, cache, true);
  }
}

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
 * @param forceShare whatever others do with it is accepted, and no lock is taken; for reading only
 * @param imageOptions the name is a list of options, {@code key=value,...}, not a file's name
 * @param resizing its length is going to be changed
 */
public record OpenRequest(
    String name,
    @Nullable String format,
    boolean writable,
    CacheMode cache,
    boolean keepOthersFromChanging,
    boolean forceShare,
    boolean imageOptions,
    boolean resizing) {

  /** To read it while others may do what they like. */
  public static OpenRequest reading(String name, @Nullable String format, CacheMode cache) {
    return new OpenRequest(name, format, false, cache, false, false, false, false);
  }

  /** To read and write it while others may do what they like. */
  public static OpenRequest writing(String name, @Nullable String format, CacheMode cache) {
    return new OpenRequest(name, format, true, cache, false, false, false, false);
  }

  /** The same, keeping others from writing. */
  public OpenRequest exclusive() {
    return new OpenRequest(name, format, writable, cache, true, forceShare, imageOptions, resizing);
  }

  /** The same, putting up with whatever others do if {@code shared}. */
  public OpenRequest sharedByForce(boolean shared) {
    return new OpenRequest(
        name, format, writable, cache, keepOthersFromChanging, shared, imageOptions, resizing);
  }

  /** The same with the name taken for a list of options if {@code options}. */
  public OpenRequest namedByOptions(boolean options) {
    return new OpenRequest(
        name, format, writable, cache, keepOthersFromChanging, forceShare, options, resizing);
  }

  /** To change its length as well. */
  public OpenRequest forResizing() {
    return new OpenRequest(
        name, format, true, cache, keepOthersFromChanging, forceShare, imageOptions, true);
  }

  /** The same by another name. */
  public OpenRequest renamed(String otherName) {
    return new OpenRequest(
        otherName,
        format,
        writable,
        cache,
        keepOthersFromChanging,
        forceShare,
        imageOptions,
        resizing);
  }
}

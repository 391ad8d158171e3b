package org.tinamou.drivers;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.qapi.Json;

/**
 * What an image's format tells of it without a look at its data.
 *
 * @param lengthBytes what it shows
 * @param clusterBytes in what pieces it is allocated; 0 if in none
 * @param dirty whether it was not closed properly
 * @param backingName the image below as it is written, or null
 * @param backingFormat what that one's format is said to be, or null
 * @param hasMore whether there is more to tell, for which the image has to be opened
 * @param encrypted whether its data is
 * @param specific what only this format has to tell, by the names of the machine-readable form
 */
public record ImageDescription(
    long lengthBytes,
    long clusterBytes,
    boolean dirty,
    @Nullable String backingName,
    @Nullable String backingFormat,
    boolean hasMore,
    boolean encrypted,
    Json.Members specific) {
  /** Of an image that is not encrypted. */
  public ImageDescription(
      long lengthBytes,
      long clusterBytes,
      boolean dirty,
      @Nullable String backingName,
      @Nullable String backingFormat,
      boolean hasMore,
      Json.Members specific) {
    this(lengthBytes, clusterBytes, dirty, backingName, backingFormat, hasMore, false, specific);
  }

  /** The same of an image that is encrypted. */
  @AnyThread
  public ImageDescription withEncryption() {
    return new ImageDescription(
        lengthBytes, clusterBytes, dirty, backingName, backingFormat, hasMore, true, specific);
  }

  /** A driver that can describe its image. */
  public interface Source {
    /** The image as it was opened, its present length apart. */
    @AnyThread
    ImageDescription description();
  }
}

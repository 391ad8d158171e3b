package org.tinamou.jobs.chain;

import org.jspecify.annotations.Nullable;
import org.tinamou.block.ErrorPolicy;

/**
 * How an image is committed.
 *
 * @param onError what a failed read or write does
 * @param filterNodeName the name of the filter in front of the image, or null
 * @param backingName what the image above it is to call the base, or null for its own name
 * @param masksProtocol whether a base without a format is said to be raw
 */
public record CommitSettings(
    ErrorPolicy onError,
    @Nullable String filterNodeName,
    @Nullable String backingName,
    boolean masksProtocol) {
  /** All that is usual. */
  public static final CommitSettings USUAL =
      new CommitSettings(ErrorPolicy.REPORT, null, null, false);
}

package org.tinamou.jobs.chain;

import org.jspecify.annotations.Nullable;
import org.tinamou.block.ErrorPolicy;

/**
 * How a chain is streamed.
 *
 * @param onError what a failed read or write does
 * @param filterNodeName the name of the filter in front of the image, or null
 * @param backingName what the image is to call its base at the end, or null for its own name
 * @param masksProtocol whether a base without a format is said to be raw
 */
public record StreamSettings(
    ErrorPolicy onError,
    @Nullable String filterNodeName,
    @Nullable String backingName,
    boolean masksProtocol) {
  /** All that is usual. */
  public static final StreamSettings USUAL =
      new StreamSettings(ErrorPolicy.REPORT, null, null, false);
}

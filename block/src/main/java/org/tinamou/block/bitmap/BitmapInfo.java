package org.tinamou.block.bitmap;

import org.jspecify.annotations.Nullable;

/**
 * What queries report of a bitmap.
 *
 * @param name null for a bitmap that an operation made for itself
 * @param recording whether writes are recorded, here or in its successor
 * @param busy whether an operation uses it
 * @param persistent whether the image keeps it
 * @param inconsistent whether its contents cannot be trusted
 * @param granularityBytes the bytes one bit stands for
 * @param countBytes the dirty granules in bytes; the last one counts whole
 */
public record BitmapInfo(
    @Nullable String name,
    boolean recording,
    boolean busy,
    boolean persistent,
    boolean inconsistent,
    long granularityBytes,
    long countBytes) {
  BitmapInfo withRecording(boolean records) {
    return new BitmapInfo(
        name, records, busy, persistent, inconsistent, granularityBytes, countBytes);
  }
}

package org.tinamou.tools.image;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the bytes from some offset on have in common.
 *
 * @param lengthBytes how many they are
 * @param data whether reading them goes to a medium
 * @param zero whether they are known to read as zeroes
 * @param present whether the image itself says what they are, rather than one behind it
 * @param mappedOffsetBytes where they are in the file, or -1
 * @param depth how many images lie above the one that says this
 * @param file the name of what holds the bytes, or null if nobody knows
 */
public record Extent(
    long lengthBytes,
    boolean data,
    boolean zero,
    boolean present,
    long mappedOffsetBytes,
    int depth,
    @Nullable String file) {

  /** Whether the bytes have to be read to know what they are. */
  public boolean isContent() {
    return !zero && (data || present);
  }

  /** The first bytes of it. */
  public Extent atMost(long bytes) {
    return new Extent(
        Math.min(bytes, lengthBytes), data, zero, present, mappedOffsetBytes, depth, file);
  }

  /** Whether both are of one kind and the other's bytes follow on this one's. */
  public boolean continues(Extent next) {
    return data == next.data
        && zero == next.zero
        && present == next.present
        && depth == next.depth
        && Objects.equals(file, next.file)
        && next.mappedOffsetBytes == (mappedOffsetBytes < 0 ? -1 : mappedOffsetBytes + lengthBytes);
  }

  /** This and what follows on it, as one. */
  public Extent with(Extent next) {
    return new Extent(
        lengthBytes + next.lengthBytes, data, zero, present, mappedOffsetBytes, depth, file);
  }
}

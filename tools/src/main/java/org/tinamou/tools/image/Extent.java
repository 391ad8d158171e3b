package org.tinamou.tools.image;

/**
 * What the bytes from some offset on have in common.
 *
 * @param lengthBytes how many they are
 * @param data whether reading them goes to a medium
 * @param zero whether they are known to read as zeroes
 * @param present whether the image itself says what they are, rather than one behind it
 * @param mappedOffsetBytes where they are in the host's file, or -1
 */
public record Extent(
    long lengthBytes, boolean data, boolean zero, boolean present, long mappedOffsetBytes) {

  /** Whether the bytes have to be read to know what they are. */
  public boolean isContent() {
    return !zero && (data || present);
  }

  /** Whether both are of one kind and the other's bytes follow on this one's. */
  public boolean continues(Extent next) {
    return data == next.data
        && zero == next.zero
        && present == next.present
        && next.mappedOffsetBytes == (mappedOffsetBytes < 0 ? -1 : mappedOffsetBytes + lengthBytes);
  }

  /** This and what follows on it, as one. */
  public Extent with(Extent next) {
    return new Extent(lengthBytes + next.lengthBytes, data, zero, present, mappedOffsetBytes);
  }
}

package org.tinamou.block;

import org.jspecify.annotations.Nullable;

/**
 * What is known of the first bytes of a range.
 *
 * @param lengthBytes how many bytes it is true of, at least 1
 * @param flags bits of this class
 * @param mappedOffsetBytes where the data is in {@code file}, if {@link #OFFSET_VALID}
 * @param file the node that holds the data, if it is known
 */
public record BlockStatus(
    long lengthBytes, int flags, long mappedOffsetBytes, @Nullable BlockNode file) {
  /** Reading goes to the medium. */
  public static final int DATA = 1;

  /** Reads as zeroes. */
  public static final int ZERO = 1 << 1;

  /** {@link #mappedOffsetBytes} is known and the bytes there are the guest's, verbatim. */
  public static final int OFFSET_VALID = 1 << 2;

  /** This layer decides what is read, not one below. */
  public static final int ALLOCATED = 1 << 3;

  /** Ask the node in {@link #file} at {@link #mappedOffsetBytes} for more. */
  public static final int RAW = 1 << 4;

  /** The range ends at the end of the node. */
  public static final int END_OF_FILE = 1 << 5;

  /** A compressed cluster. */
  public static final int COMPRESSED = 1 << 6;

  /** The data may never have been written: {@link #file} knows whether it reads as zeroes. */
  public static final int MAYBE_ZERO = 1 << 7;

  /** Data, here, of which nothing more is known. */
  public static BlockStatus data(long lengthBytes) {
    return new BlockStatus(lengthBytes, DATA | ALLOCATED, 0, null);
  }

  public boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /** The same, of fewer bytes. */
  public BlockStatus atMost(long bytes) {
    return bytes >= lengthBytes
        ? this
        : new BlockStatus(bytes, flags & ~END_OF_FILE, mappedOffsetBytes, file);
  }
}

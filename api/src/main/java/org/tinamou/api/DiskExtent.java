package org.tinamou.api;

/**
 * A run of bytes of a disk of which the same is known.
 *
 * @param offsetBytes where it begins
 * @param lengthBytes at least 1
 * @param kind what is known
 */
public record DiskExtent(long offsetBytes, long lengthBytes, Kind kind) {
  /** What is known of bytes without reading them. */
  public enum Kind {
    /** There is data; it may still be zeroes. */
    DATA,
    /** Reads as zeroes and takes space. */
    ZERO,
    /** Reads as zeroes and takes no space. */
    HOLE
  }
}

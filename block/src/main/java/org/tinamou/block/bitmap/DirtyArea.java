package org.tinamou.block.bitmap;

/**
 * A dirty range of a node.
 *
 * @param offsetBytes where it starts
 * @param lengthBytes how long it is, more than 0
 */
public record DirtyArea(long offsetBytes, long lengthBytes) {
  /** The first byte behind the area. */
  public long endBytes() {
    return offsetBytes + lengthBytes;
  }
}

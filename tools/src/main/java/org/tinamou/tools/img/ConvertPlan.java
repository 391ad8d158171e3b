package org.tinamou.tools.img;

/**
 * How a conversion is to be done.
 *
 * @param sparseBytes runs of at least that many zeroes become holes; 0 writes everything
 * @param workers how many pieces are under way at a time
 * @param inOrder whether the target is written from its beginning to its end
 * @param offload let the host copy
 * @param salvage treat what cannot be read as zeroes
 * @param targetIsZero whether the target reads as zeroes already
 * @param compressed write whole clusters, compressed
 * @param backingBytes how long the image is that the target stands on, or -1 if it stands on none;
 *     what the source takes from its own one is left to it
 * @param bytesPerSecond the most that is copied, or 0
 */
record ConvertPlan(
    long sparseBytes,
    int workers,
    boolean inOrder,
    boolean offload,
    boolean salvage,
    boolean targetIsZero,
    boolean compressed,
    long backingBytes,
    long bytesPerSecond) {
  boolean hasBacking() {
    return backingBytes >= 0;
  }
}

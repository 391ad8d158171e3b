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
 * @param bytesPerSecond the most that is copied, or 0
 */
record ConvertPlan(
    long sparseBytes,
    int workers,
    boolean inOrder,
    boolean offload,
    boolean salvage,
    boolean targetIsZero,
    long bytesPerSecond) {}

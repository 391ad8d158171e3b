package org.tinamou.tools.image;

/**
 * A run of bytes of an image with the same status.
 *
 * @param lengthBytes at least 1
 * @param data whether the image holds data for it; what it does not hold reads as zeroes
 */
public record Extent(long lengthBytes, boolean data) {}

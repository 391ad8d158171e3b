package org.tinamou.drivers.protocol.file;

/**
 * A run of bytes of a file that are all data or all a hole.
 *
 * @param lengthBytes at least 1
 * @param data false for a hole, which reads as zeroes
 */
public record FileExtent(long lengthBytes, boolean data) {}

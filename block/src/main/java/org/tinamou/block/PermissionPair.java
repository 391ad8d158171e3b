package org.tinamou.block;

/**
 * Two sets of bits of {@link Permission}.
 *
 * @param used what is done
 * @param shared what others may do
 */
public record PermissionPair(int used, int shared) {}

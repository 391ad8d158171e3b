package org.tinamou.drivers.copy;

import org.tinamou.block.BlockException;

/**
 * Why a copy did not come about.
 *
 * @param cause what went wrong
 * @param reading whether the source is to blame, not the target
 */
public record CopyFailure(BlockException cause, boolean reading) {}

/**
 * Stress tests of what is not exported: the table that requests under way show themselves in, in
 * its own package so that it can be reached.
 *
 * <p>Actors race on a small state and their results are judged. Depends on {@code block}. Start
 * reading at {@code SlotTableStress}.
 */
@NullMarked
package org.tinamou.block;

import org.jspecify.annotations.NullMarked;

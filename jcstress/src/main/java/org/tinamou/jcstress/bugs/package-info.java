/**
 * Historical bugs, written small beside the real classes: each must show its forbidden result, or
 * {@code ./tinamou jcstress} fails, because then the stress test of the real class proves nothing.
 *
 * <p>Actors race on a small state and their results are judged. Depends on nothing of the rooms.
 * Start reading at {@code NotifyBugs}.
 */
@NullMarked
package org.tinamou.jcstress.bugs;

import org.jspecify.annotations.NullMarked;

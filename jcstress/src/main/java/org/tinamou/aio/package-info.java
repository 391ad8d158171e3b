/**
 * Stress tests of what is not exported: the queue, the gate before sleep, bottom halves and the
 * word of a mutex, in their own package so that they can be reached.
 *
 * <p>Actors race on a small state and their results are judged. Depends on {@code aio}. Start
 * reading at {@code NotifyStress}.
 */
@NullMarked
package org.tinamou.aio;

import org.jspecify.annotations.NullMarked;

/**
 * Power cuts: a file in memory records what is done to it, and every state that a cut could leave
 * is made from the record, opened and judged.
 *
 * <p>Confined to the coroutine that runs it. Depends on {@code drivers}. Start reading at {@link
 * org.tinamou.testkit.crash.Qcow2Crash}.
 */
package org.tinamou.testkit.crash;

/**
 * Copies the blocks of one node to another while the first is in use: each cluster once, whoever
 * asks for it first. A filter has it copy before guests write; a job has it copy the rest.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block}. Start reading at {@link
 * org.tinamou.drivers.copy.BlockCopy}.
 */
package org.tinamou.drivers.copy;

/**
 * The commands for people: each is written in terms of the commands for programs, so both do the
 * same and refuse with the same words.
 *
 * <p>All in coroutines of the main loop. Depends on {@code monitor} and {@code qapi}. Start reading
 * at {@link org.tinamou.daemon.hmp.HumanCommands}.
 */
package org.tinamou.daemon.hmp;

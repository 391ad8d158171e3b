/**
 * The composition root of a program with a block graph: one graph, the objects users define, the
 * nodes they hold, exports, and the commands that change all of them.
 *
 * <p>Commands are coroutines of the main loop; requests run in the loops of the nodes and exports.
 * Depends on everything below. Start reading at {@link org.tinamou.daemon.Daemon}.
 */
package org.tinamou.daemon;

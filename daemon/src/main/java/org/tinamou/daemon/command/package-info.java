/**
 * What monitors can ask for, in one class a theme: arguments in, changes of the graph and reports
 * out.
 *
 * <p>Commands are coroutines of the main loop. Depends on the rooms below. Start reading at {@link
 * org.tinamou.daemon.command.CommandList}.
 */
package org.tinamou.daemon.command;

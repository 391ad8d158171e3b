/**
 * {@code storage-daemon}: a block graph that monitors tell what to do, until one tells it to quit.
 *
 * <p>Options are carried out in the order given, in a coroutine of the main loop, which is the
 * process's first thread. Depends on the rooms below. Start reading at {@link
 * org.tinamou.tools.daemon.DaemonTool}.
 */
package org.tinamou.tools.daemon;

/**
 * Backends of the block graph as disks that others can use.
 *
 * <p>Requests come in coroutines of the server's loop. Depends on {@code block} and {@code nbd}.
 * Start reading at {@link org.tinamou.daemon.export.BlockExport}.
 */
package org.tinamou.daemon.export;

/**
 * Host files and devices as the bottom of every disk: requests become I/O of the loop, with locks
 * that the reference's tools respect and that respect theirs.
 *
 * <p>Everything that may wait runs in coroutines of one loop. Depends on {@code aio}, {@code block}
 * and {@code host}. Start reading at {@link org.tinamou.drivers.protocol.file.FileDriver}, then
 * {@link org.tinamou.drivers.protocol.file.FileCreator}.
 */
package org.tinamou.drivers.protocol.file;

/**
 * Disks of NBD servers.
 *
 * <p>Requests run in coroutines of any loop and wait for their replies there; nothing stays in the
 * node's own loop between them. Depends on {@code block} and the room {@code nbd}. Start reading at
 * {@link org.tinamou.drivers.protocol.nbd.NbdDriver}, then {@code NbdLink}.
 */
package org.tinamou.drivers.protocol.nbd;

/**
 * Disks without a medium, for tests and measurements: null-co and null-aio.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block}. Start reading at {@link
 * org.tinamou.drivers.protocol.nullblock.NullDriver}.
 */
package org.tinamou.drivers.protocol.nullblock;

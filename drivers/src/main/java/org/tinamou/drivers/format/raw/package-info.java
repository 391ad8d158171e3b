/**
 * The raw format: guest bytes are file bytes, from an offset on if need be.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block}. Start reading at {@link
 * org.tinamou.drivers.format.raw.RawFormat}.
 */
package org.tinamou.drivers.format.raw;

/**
 * A filter that has everything written through it stored compressed.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block}. Start reading at {@link
 * org.tinamou.drivers.filter.compress.CompressDriver}.
 */
package org.tinamou.drivers.filter.compress;

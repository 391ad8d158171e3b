/**
 * A filter that keeps what is read through from a backing file in the image above it.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block}. Start reading at {@link
 * org.tinamou.drivers.filter.copyonread.CopyOnReadDriver}.
 */
package org.tinamou.drivers.filter.copyonread;

/**
 * A filter that makes a growing file longer than it needs to be, so that it grows seldom.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block}. Start reading at {@link
 * org.tinamou.drivers.filter.preallocate.PreallocateDriver}.
 */
package org.tinamou.drivers.filter.preallocate;

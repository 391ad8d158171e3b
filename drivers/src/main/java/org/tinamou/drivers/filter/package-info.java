/**
 * What filters have in common; each filter has a package of its own below.
 *
 * <p>Requests run in coroutines of any loop. Depends on {@code block}. Start reading at {@link
 * org.tinamou.drivers.filter.FilterDriver}.
 */
package org.tinamou.drivers.filter;
